;; Writes 16 bytes into a pipe of its own, many times: `pipe_writes COUNT` prints COUNT once all of them went well.
;; After every 256 writes it reads the pipe empty, 4 KiB at once, so that there is always room. Pipes are WASIX.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasix_32v1" "fd_pipe" (func $fd_pipe (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  ;; 0: results of calls; 16, 24, 32: the iovecs of the line, of a write and of a read; 1024, 2048: the arguments.
  (data (i32.const 512) "sixteen bytes...")

  (func $check (param $error i32)
    (if (local.get $error) (then (call $proc_exit (local.get $error)))))

  (func $empty (param $fd i32)
    (local $left i32)
    (local.set $left (i32.const 4096))
    (loop $more
      (call $check (call $fd_read (local.get $fd) (i32.const 32) (i32.const 1) (i32.const 0)))
      (local.set $left (i32.sub (local.get $left) (i32.load (i32.const 0))))
      (br_if $more (i32.gt_s (local.get $left) (i32.const 0)))))

  (func (export "_start")
    (local $text i32)
    (local $at i32)
    (local $count i32)
    (local $written i32)
    (local $reading i32)
    (local $writing i32)
    (call $check (call $args_get (i32.const 1024) (i32.const 2048)))
    (local.set $text (i32.load (i32.const 1028)))
    (local.set $at (local.get $text))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $count
          (i32.add
            (i32.mul (local.get $count) (i32.const 10))
            (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (call $check (call $fd_pipe (i32.const 0) (i32.const 4)))
    (local.set $reading (i32.load (i32.const 0)))
    (local.set $writing (i32.load (i32.const 4)))
    (i32.store (i32.const 24) (i32.const 512))
    (i32.store (i32.const 28) (i32.const 16))
    (i32.store (i32.const 32) (i32.const 65536))
    (i32.store (i32.const 36) (i32.const 4096))
    (loop $next
      (call $check (call $fd_write (local.get $writing) (i32.const 24) (i32.const 1) (i32.const 0)))
      (if (i32.ne (i32.load (i32.const 0)) (i32.const 16)) (then (call $proc_exit (i32.const 101))))
      (local.set $written (i32.add (local.get $written) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $written) (i32.const 255))) (then (call $empty (local.get $reading))))
      (br_if $next (i32.lt_u (local.get $written) (local.get $count))))
    ;; A line: its end takes the place of the zero.
    (i32.store8 (local.get $at) (i32.const 10))
    (i32.store (i32.const 16) (local.get $text))
    (i32.store (i32.const 20) (i32.add (i32.sub (local.get $at) (local.get $text)) (i32.const 1)))
    (call $check (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0)))))
