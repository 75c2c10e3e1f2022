;; One host call of WASI preview 1, many times: `host_calls KIND COUNT` prints COUNT once all of them went well.
;; KIND is `clock` (clock_time_get), `read` (fd_read of 4 KiB, round and round through /data/numbers.bin) or `open`
;; (path_open and fd_close of that file). The exit code is the error of the call that failed, or 100 for a bad KIND.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  ;; 0: results of calls; 16: one iovec; 1024: pointers to the arguments; 2048: the arguments; 65536: what is read.
  (data (i32.const 512) "data/numbers.bin")

  (func $check (param $error i32)
    (if (local.get $error) (then (call $proc_exit (local.get $error)))))

  (func $number (param $text i32) (result i32)
    (local $value i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (local.get $text))))
        (local.set $value
          (i32.add
            (i32.mul (local.get $value) (i32.const 10))
            (i32.sub (i32.load8_u (local.get $text)) (i32.const 48))))
        (local.set $text (i32.add (local.get $text) (i32.const 1)))
        (br $next)))
    (local.get $value))

  (func $print (param $text i32)
    (local $length i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (i32.add (local.get $text) (local.get $length)))))
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (br $next)))
    ;; A line: its end takes the place of the zero.
    (i32.store8 (i32.add (local.get $text) (local.get $length)) (i32.const 10))
    (i32.store (i32.const 16) (local.get $text))
    (i32.store (i32.const 20) (i32.add (local.get $length) (i32.const 1)))
    (call $check (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0))))

  (func $try (param $directory i32) (result i32)
    ;; Rights to read, to seek and to tell.
    (call $path_open (local.get $directory) (i32.const 1) (i32.const 512) (i32.const 16) (i32.const 0)
      (i64.const 38) (i64.const 38) (i32.const 0) (i32.const 0)))

  ;; The directory that is open from the start and has the file.
  (func $directory (result i32)
    (local $fd i32)
    (local.set $fd (i32.const 3))
    (loop $next
      (if (i32.eqz (call $try (local.get $fd)))
        (then (call $check (call $fd_close (i32.load (i32.const 0)))) (return (local.get $fd))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $fd) (i32.const 8))))
    (call $proc_exit (i32.const 44))
    (unreachable))

  (func $clock (param $count i32)
    (loop $next
      (call $check (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 0)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $next (local.get $count))))

  (func $read (param $count i32)
    (local $fd i32)
    (call $check (call $try (call $directory)))
    (local.set $fd (i32.load (i32.const 0)))
    (i32.store (i32.const 16) (i32.const 65536))
    (i32.store (i32.const 20) (i32.const 4096))
    (loop $next
      (call $check (call $fd_read (local.get $fd) (i32.const 16) (i32.const 1) (i32.const 0)))
      (if (i32.eqz (i32.load (i32.const 0)))
        (then (call $check (call $fd_seek (local.get $fd) (i64.const 0) (i32.const 0) (i32.const 8))))
        (else
          (if (i32.ne (i32.load (i32.const 0)) (i32.const 4096)) (then (call $proc_exit (i32.const 101))))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))))
      (br_if $next (local.get $count))))

  (func $open (param $count i32)
    (local $directory i32)
    (local.set $directory (call $directory))
    (loop $next
      (call $check (call $try (local.get $directory)))
      (call $check (call $fd_close (i32.load (i32.const 0))))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $next (local.get $count))))

  (func (export "_start")
    (local $kind i32)
    (local $count i32)
    (call $check (call $args_get (i32.const 1024) (i32.const 2048)))
    (local.set $kind (i32.load8_u (i32.load (i32.const 1028))))
    (local.set $count (call $number (i32.load (i32.const 1032))))
    (block $done
      (if (i32.eq (local.get $kind) (i32.const 99)) (then (call $clock (local.get $count)) (br $done)))
      (if (i32.eq (local.get $kind) (i32.const 114)) (then (call $read (local.get $count)) (br $done)))
      (if (i32.eq (local.get $kind) (i32.const 111)) (then (call $open (local.get $count)) (br $done)))
      (call $proc_exit (i32.const 100)))
    (call $print (i32.load (i32.const 1032)))))
