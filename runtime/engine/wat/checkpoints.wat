;; Takes the guest's stack apart and puts it together again without leaving WebAssembly: `stack_checkpoint` for a guest
;; that calls it often. What asyncify's own functions do is done here with its two globals: see `runtime/asyncify.py`,
;; which has the same in Python, and Binaryen's `Asyncify.cpp` for the protocol.
;;
;; The copies are kept in the arena, this module's own memory. It begins with a hash table of 512 entries of 32 bytes by
;; the address of the guest's record; `runtime/arena.py` adds entries, gives them room and takes them away again:
;;    0 u32 address of the guest's record, 0 for a free entry      16 u32 length of the stack
;;    4 u32 where the copy is in the arena                        20 u32 stack pointer
;;    8 u32 how much room is there                                24 u64 serial number
;;   12 u32 length of the frames, which the stack follows
(module $checkpoints
  (type $checkpoint (func (param i32 i32) (result i32)))
  (import "guest" "memory" (memory $guest 0 65536 shared))
  (import "guest" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "guest" "state" (global $state (mut i32)))
  (import "guest" "data" (global $data (mut i32)))
  (import "guest" "start" (func $start))
  (import "guest" "thread_start" (func $thread_start (param i32 i32)))
  (import "slot" "slot" (table $slot 1 1 funcref))
  (import "slot" "host" (func $host (type $checkpoint)))
  (import "slot" "room" (func $room (type $checkpoint)))

  (memory $arena (export "arena") 1)

  ;; Set by the host: where asyncify's record is, where the stack ends, and the last serial number given.
  (global $record (export "record") (mut i32) (i32.const 0))
  (global $upper (export "upper") (mut i32) (i32.const 0))
  (global $serial (export "serial") (mut i64) (i64.const 0))
  ;; Whether the guest runs a signal handler, whose stack is the host's affair.
  (global $handling (export "handling") (mut i32) (i32.const 0))
  ;; Whether the guest is leaving its functions, or coming back, because of this module.
  (global $moving (export "moving") (mut i32) (i32.const 0))
  ;; Set by the host, which wants to be called when the guest is back.
  (global $wanted (export "wanted") (mut i32) (i32.const 0))
  (global $snapshot (mut i32) (i32.const 0))
  (global $errno (mut i32) (i32.const 0))

  (elem declare func $stack_checkpoint)

  ;; Be what the guest calls from now on.
  (func $install (export "install")
    (table.set $slot (i32.const 0) (ref.func $stack_checkpoint)))

  (func $in_memory (param $pointer i32) (param $length i64) (result i32)
    (i64.le_u
      (i64.add (i64.extend_i32_u (local.get $pointer)) (local.get $length))
      (i64.shl (i64.extend_i32_u (memory.size $guest)) (i64.const 16))))

  (func $stack_checkpoint (type $checkpoint) (param $snapshot i32) (param $result i32) (result i32)
    (local $start i32) (local $end i32)
    (if (global.get $moving)
      (then
        ;; Back again.
        (global.set $state (i32.const 0))
        (global.set $moving (i32.const 0))
        (if (i32.eqz (global.get $errno))
          (then (i64.store $guest (local.get $result) (i64.const 0))))
        (if (global.get $wanted)
          (then
            ;; Any call of the host's will do: at its end the host handles what is pending.
            (global.set $wanted (i32.const 0))
            (drop (call $room (i32.const 0) (i32.const 0)))))
        (return (global.get $errno))))
    ;; The host has sent the guest back here, or the stack is a signal handler's, or there can be no entry.
    (if (i32.or (i32.or (global.get $state) (global.get $handling)) (i32.eqz (local.get $snapshot)))
      (then (return (call $host (local.get $snapshot) (local.get $result)))))
    (if (i32.eqz
          (i32.and
            (call $in_memory (local.get $result) (i64.const 8))
            (call $in_memory (local.get $snapshot) (i64.const 24))))
      (then (return (i32.const 21)))) ;; FAULT
    (local.set $start (i32.add (global.get $record) (i32.const 8)))
    (local.set $end (i32.and (global.get $stack_pointer) (i32.const -16)))
    (if (i64.lt_u
          (i64.extend_i32_u (local.get $end))
          (i64.add (i64.extend_i32_u (local.get $start)) (i64.const 64)))
      (then (return (i32.const 48)))) ;; NOMEM
    (i32.store $guest (global.get $record) (local.get $start))
    (i32.store $guest offset=4 (global.get $record) (local.get $end))
    (global.set $snapshot (local.get $snapshot))
    (global.set $errno (i32.const 0))
    (global.set $data (global.get $record))
    (global.set $moving (i32.const 1))
    (global.set $state (i32.const 1))
    (i32.const 0))

  ;; The entry of the table for a record, 0xffffffff if it has none.
  (func $entry (param $snapshot i32) (result i32)
    (local $entry i32) (local $known i32)
    (local.set $entry
      (i32.shl
        (i32.shr_u (i32.mul (local.get $snapshot) (i32.const 0x9e3779b1)) (i32.const 23))
        (i32.const 5)))
    (loop $next
      (local.set $known (i32.load $arena (local.get $entry)))
      (if (i32.eq (local.get $known) (local.get $snapshot)) (then (return (local.get $entry))))
      (if (i32.eqz (local.get $known)) (then (return (i32.const -1))))
      (local.set $entry (i32.and (i32.add (local.get $entry) (i32.const 32)) (i32.const 0x3fff)))
      (br $next))
    (unreachable))

  ;; Keep the stack of a guest that has left its functions.
  (func $keep
    (local $start i32) (local $frames i32) (local $pointer i32) (local $stack i32) (local $entry i32) (local $copy i32)
    (local.set $start (i32.add (global.get $record) (i32.const 8)))
    (local.set $pointer (global.get $stack_pointer))
    (local.set $frames (i32.sub (i32.load $guest (global.get $record)) (local.get $start)))
    ;; As asyncify's own functions do: more frames than the buffer holds are the end.
    (if (i32.gt_u (local.get $frames) (i32.sub (i32.load $guest offset=4 (global.get $record)) (local.get $start)))
      (then (unreachable)))
    (if (i32.gt_u (global.get $upper) (local.get $pointer))
      (then (local.set $stack (i32.sub (global.get $upper) (local.get $pointer)))))
    (if (i32.gt_u (local.get $frames) (i32.sub (i32.const -1) (local.get $stack))) (then (unreachable)))
    (local.set $entry (call $entry (global.get $snapshot)))
    (block $has_room
      (if (i32.ne (local.get $entry) (i32.const -1))
        (then
          (br_if $has_room
            (i32.ge_u
              (i32.load $arena offset=8 (local.get $entry))
              (i32.add (local.get $frames) (local.get $stack))))))
      (if (call $room (global.get $snapshot) (i32.add (local.get $frames) (local.get $stack)))
        (then
          (global.set $errno (i32.const 48)) ;; NOMEM
          (return)))
      (local.set $entry (call $entry (global.get $snapshot))))
    ;; The record first: it is on the stack itself, most often, and has to be the same after each time it is gone back to.
    (global.set $serial (i64.add (global.get $serial) (i64.const 1)))
    (i64.store $arena offset=24 (local.get $entry) (global.get $serial))
    (i64.store $guest offset=8 (global.get $snapshot) (global.get $serial))
    (i64.store $guest offset=16 (global.get $snapshot) (i64.extend_i32_u (local.get $pointer)))
    (local.set $copy (i32.load $arena offset=4 (local.get $entry)))
    (memory.copy $arena $guest (local.get $copy) (local.get $start) (local.get $frames))
    (memory.copy $arena $guest
      (i32.add (local.get $copy) (local.get $frames))
      (local.get $pointer)
      (local.get $stack))
    (i32.store $arena offset=12 (local.get $entry) (local.get $frames))
    (i32.store $arena offset=16 (local.get $entry) (local.get $stack))
    (i32.store $arena offset=20 (local.get $entry) (local.get $pointer)))

  ;; Call the guest's entry function, again after each checkpoint; return when the host has to see why the guest left.
  (func $run (export "run") (param $is_thread i32) (param $first i32) (param $second i32)
    (global.set $moving (i32.const 0))
    (loop $again
      (if (local.get $is_thread)
        (then (call $thread_start (local.get $first) (local.get $second)))
        (else (call $start)))
      (if (i32.and (global.get $moving) (i32.eq (global.get $state) (i32.const 1)))
        (then
          (call $keep)
          (global.set $state (i32.const 2))
          (br $again)))
      (global.set $moving (i32.const 0)))))
