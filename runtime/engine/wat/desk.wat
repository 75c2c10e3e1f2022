;; Reads and writes pipes, and writes what is captured, without the host: for a guest that transfers often. The bytes lie in
;; rings in a memory of ours, the desk, which all guests' desks and the host share and no guest can reach: see
;; `runtime/engine/desk.py`, which has the layout.
;;
;; Whatever is not plain (more than two buffers, a pointer that leads nowhere, a ring that is full, empty or given up) is the
;; host's. A guest that has a ring locked must not be ended, nor run a handler: it makes no call and no loop, at which the
;; engine would ask whether it has to stop, and while the engine asks amid a copy, `held` says so.
(module $host_call_desk
  (type $transfer (func (param i32 i32 i32 i32) (result i32)))
  (import "guest" "memory" (memory $guest 0 65536 shared))
  (import "desk" "memory" (memory $desk 1 65536 shared))
  (import "front" "slots" (table $slots 3 3 funcref))
  (import "front" "host_read" (func $host_read (type $transfer)))
  (import "front" "host_write" (func $host_write (type $transfer)))
  (import "wpm" "nudge" (func $nudge (param i32 i32)))

  ;; Set by the host: where the rings of the process's descriptors are listed, 0 for nowhere.
  (global $table (export "table") (mut i32) (i32.const 0))
  ;; The ring that is locked, 0 for none.
  (global $held (export "held") (mut i32) (i32.const 0))

  ;; How often the guest was served here. Now and then it is the host's turn, which then delivers what is pending: a signal's
  ;; interrupt comes once, and a guest that was just asked misses it.
  (global $served (mut i32) (i32.const 0))

  (elem declare func $fd_read $fd_write)

  (func $in_memory (param $pointer i32) (param $length i32) (result i32)
    (i64.le_u
      (i64.add (i64.extend_i32_u (local.get $pointer)) (i64.extend_i32_u (local.get $length)))
      (i64.shl (i64.extend_i32_u (memory.size $guest)) (i64.const 16))))

  ;; The ring of a descriptor, locked; 0 when it is the host's. `place` is that of the table's entry.
  (func $lock (param $place i32) (result i32)
    (local $ring i32) (local $tries i32)
    (local.set $ring (i32.atomic.load $desk (local.get $place)))
    (if (i32.eqz (local.get $ring)) (then (return (i32.const 0))))
    (local.set $tries (i32.const 5000))
    (loop $again
      (if (i32.eqz (i32.atomic.rmw.cmpxchg $desk (local.get $ring) (i32.const 0) (i32.const 1)))
        (then
          ;; Closed meanwhile, or given up.
          (if (i32.or
                (i32.ne (i32.atomic.load $desk (local.get $place)) (local.get $ring))
                (i32.load $desk offset=12 (local.get $ring)))
            (then
              (i32.atomic.store $desk (local.get $ring) (i32.const 0))
              (return (i32.const 0))))
          (global.set $held (local.get $ring))
          (return (local.get $ring))))
      (br_if $again (local.tee $tries (i32.sub (local.get $tries) (i32.const 1)))))
    (i32.const 0))

  ;; Be what the guest calls from now on.
  (func (export "install")
    (table.set $slots (i32.const 0) (ref.func $fd_read))
    (table.set $slots (i32.const 1) (ref.func $fd_write)))

  (func $fd_read (type $transfer) (param $fd i32) (param $iovs i32) (param $count i32) (param $result i32) (result i32)
    (local $ring i32) (local $first i32) (local $first_size i32) (local $second i32) (local $second_size i32)
    (local $filled i32) (local $at i32) (local $part i32) (local $data i32) (local $moved i32) (local $told i32)
    (block $hosts
      (global.set $served (i32.add (global.get $served) (i32.const 1)))
      (br_if $hosts (i32.eqz (i32.and (global.get $served) (i32.const 1023))))
      (br_if $hosts (i32.eqz (global.get $table)))
      (br_if $hosts (i32.ge_u (local.get $fd) (i32.const 64)))
      (br_if $hosts (i32.gt_u (i32.sub (local.get $count) (i32.const 1)) (i32.const 1)))
      (br_if $hosts (i32.eqz (call $in_memory (local.get $iovs) (i32.shl (local.get $count) (i32.const 3)))))
      (br_if $hosts (i32.eqz (call $in_memory (local.get $result) (i32.const 4))))
      (local.set $first (i32.load $guest (local.get $iovs)))
      (local.set $first_size (i32.load $guest offset=4 (local.get $iovs)))
      (br_if $hosts (i32.eqz (call $in_memory (local.get $first) (local.get $first_size))))
      (if (i32.eq (local.get $count) (i32.const 2))
        (then
          (local.set $second (i32.load $guest offset=8 (local.get $iovs)))
          (local.set $second_size (i32.load $guest offset=12 (local.get $iovs)))
          (br_if $hosts (i32.eqz (call $in_memory (local.get $second) (local.get $second_size))))))
      (br_if $hosts (i32.eqz (i32.or (local.get $first_size) (local.get $second_size))))
      ;; So large that their sum is no number here.
      (br_if $hosts (i32.or (i32.shr_u (local.get $first_size) (i32.const 30)) (i32.shr_u (local.get $second_size) (i32.const 30))))
      (local.set $ring
        (call $lock (i32.add (i32.add (global.get $table) (i32.shl (local.get $fd) (i32.const 3))) (i32.const 0))))
      (br_if $hosts (i32.eqz (local.get $ring)))
      (local.set $filled (i32.load $desk offset=8 (local.get $ring)))
      (local.set $data (i32.load $desk offset=28 (local.get $ring)))
      ;; Of a file a guest is given all that it asks for, or the host sees to it.
      (if (i32.or
            (i32.eqz (local.get $filled))
            (i32.and
              (i32.load $desk offset=32 (local.get $ring))
              (i32.gt_u (i32.add (local.get $first_size) (local.get $second_size)) (local.get $filled))))
        (then
          (i32.atomic.store $desk (local.get $ring) (i32.const 0))
          (global.set $held (i32.const 0))
          (br $hosts)))
      (if (i32.gt_u (local.get $first_size) (local.get $filled)) (then (local.set $first_size (local.get $filled))))
      (if (i32.gt_u (local.get $second_size) (i32.sub (local.get $filled) (local.get $first_size)))
        (then (local.set $second_size (i32.sub (local.get $filled) (local.get $first_size)))))
      (local.set $moved (i32.add (local.get $first_size) (local.get $second_size)))
      (local.set $at (i32.load $desk offset=4 (local.get $ring)))
      (local.set $part (i32.sub (i32.const 0x200000) (local.get $at)))
      (if (i32.gt_u (local.get $part) (local.get $first_size)) (then (local.set $part (local.get $first_size))))
      (memory.copy $guest $desk (local.get $first) (i32.add (local.get $data) (local.get $at)) (local.get $part))
      (if (i32.lt_u (local.get $part) (local.get $first_size))
        (then
          (memory.copy $guest $desk
            (i32.add (local.get $first) (local.get $part)) (local.get $data) (i32.sub (local.get $first_size) (local.get $part)))))
      (local.set $at (i32.and (i32.add (local.get $at) (local.get $first_size)) (i32.const 0x1fffff)))
      (if (local.get $second_size)
        (then
          (local.set $part (i32.sub (i32.const 0x200000) (local.get $at)))
          (if (i32.gt_u (local.get $part) (local.get $second_size)) (then (local.set $part (local.get $second_size))))
          (memory.copy $guest $desk (local.get $second) (i32.add (local.get $data) (local.get $at)) (local.get $part))
          (if (i32.lt_u (local.get $part) (local.get $second_size))
            (then
              (memory.copy $guest $desk
                (i32.add (local.get $second) (local.get $part)) (local.get $data) (i32.sub (local.get $second_size) (local.get $part)))))
          (local.set $at (i32.and (i32.add (local.get $at) (local.get $second_size)) (i32.const 0x1fffff)))))
      (local.set $filled (i32.sub (local.get $filled) (local.get $moved)))
      (i32.store $desk offset=8 (local.get $ring) (local.get $filled))
      ;; Few bytes at a time stay in the same few pages.
      (i32.store $desk offset=4 (local.get $ring) (select (local.get $at) (i32.const 0) (local.get $filled)))
      (i32.store $desk offset=24 (local.get $ring) (i32.add (i32.load $desk offset=24 (local.get $ring)) (local.get $moved)))
      (local.set $told (i32.le_s (local.get $filled) (i32.load $desk offset=20 (local.get $ring))))
      (i32.atomic.store $desk (local.get $ring) (i32.const 0))
      (global.set $held (i32.const 0))
      (i32.store $guest (local.get $result) (local.get $moved))
      (if (local.get $told) (then (call $nudge (local.get $ring) (i32.const 1))))
      (return (i32.const 0)))
    (call $host_read (local.get $fd) (local.get $iovs) (local.get $count) (local.get $result)))

  (func $fd_write (type $transfer) (param $fd i32) (param $iovs i32) (param $count i32) (param $result i32) (result i32)
    (local $ring i32) (local $first i32) (local $first_size i32) (local $second i32) (local $second_size i32)
    (local $filled i32) (local $at i32) (local $part i32) (local $data i32) (local $moved i32) (local $told i32)
    (block $hosts
      (global.set $served (i32.add (global.get $served) (i32.const 1)))
      (br_if $hosts (i32.eqz (i32.and (global.get $served) (i32.const 1023))))
      (br_if $hosts (i32.eqz (global.get $table)))
      (br_if $hosts (i32.ge_u (local.get $fd) (i32.const 64)))
      (br_if $hosts (i32.gt_u (i32.sub (local.get $count) (i32.const 1)) (i32.const 1)))
      (br_if $hosts (i32.eqz (call $in_memory (local.get $iovs) (i32.shl (local.get $count) (i32.const 3)))))
      (br_if $hosts (i32.eqz (call $in_memory (local.get $result) (i32.const 4))))
      (local.set $first (i32.load $guest (local.get $iovs)))
      (local.set $first_size (i32.load $guest offset=4 (local.get $iovs)))
      (br_if $hosts (i32.eqz (call $in_memory (local.get $first) (local.get $first_size))))
      (if (i32.eq (local.get $count) (i32.const 2))
        (then
          (local.set $second (i32.load $guest offset=8 (local.get $iovs)))
          (local.set $second_size (i32.load $guest offset=12 (local.get $iovs)))
          (br_if $hosts (i32.eqz (call $in_memory (local.get $second) (local.get $second_size))))))
      (br_if $hosts (i32.eqz (i32.or (local.get $first_size) (local.get $second_size))))
      ;; So large that their sum is no number here.
      (br_if $hosts (i32.or (i32.shr_u (local.get $first_size) (i32.const 30)) (i32.shr_u (local.get $second_size) (i32.const 30))))
      (local.set $ring
        (call $lock (i32.add (i32.add (global.get $table) (i32.shl (local.get $fd) (i32.const 3))) (i32.const 4))))
      (br_if $hosts (i32.eqz (local.get $ring)))
      (local.set $filled (i32.load $desk offset=8 (local.get $ring)))
      (local.set $data (i32.load $desk offset=28 (local.get $ring)))
      ;; What is at most PIPE_BUF bytes is written in one piece, and so is everything that is captured.
      (local.set $part (i32.sub (i32.const 0x200000) (local.get $filled)))
      (local.set $moved (i32.add (local.get $first_size) (local.get $second_size)))
      (if (i32.and
            (i32.gt_u (local.get $moved) (local.get $part))
            (i32.or
              (i32.load $desk offset=32 (local.get $ring))
              (i32.or (i32.eqz (local.get $part)) (i32.le_u (local.get $moved) (i32.const 4096)))))
        (then
          (i32.atomic.store $desk (local.get $ring) (i32.const 0))
          (global.set $held (i32.const 0))
          (br $hosts)))
      (if (i32.gt_u (local.get $first_size) (local.get $part)) (then (local.set $first_size (local.get $part))))
      (if (i32.gt_u (local.get $second_size) (i32.sub (local.get $part) (local.get $first_size)))
        (then (local.set $second_size (i32.sub (local.get $part) (local.get $first_size)))))
      (local.set $moved (i32.add (local.get $first_size) (local.get $second_size)))
      (local.set $at
        (i32.and
          (i32.add (i32.load $desk offset=4 (local.get $ring)) (local.get $filled))
          (i32.const 0x1fffff)))
      (local.set $part (i32.sub (i32.const 0x200000) (local.get $at)))
      (if (i32.gt_u (local.get $part) (local.get $first_size)) (then (local.set $part (local.get $first_size))))
      (memory.copy $desk $guest (i32.add (local.get $data) (local.get $at)) (local.get $first) (local.get $part))
      (if (i32.lt_u (local.get $part) (local.get $first_size))
        (then
          (memory.copy $desk $guest
            (local.get $data) (i32.add (local.get $first) (local.get $part)) (i32.sub (local.get $first_size) (local.get $part)))))
      (local.set $at (i32.and (i32.add (local.get $at) (local.get $first_size)) (i32.const 0x1fffff)))
      (if (local.get $second_size)
        (then
          (local.set $part (i32.sub (i32.const 0x200000) (local.get $at)))
          (if (i32.gt_u (local.get $part) (local.get $second_size)) (then (local.set $part (local.get $second_size))))
          (memory.copy $desk $guest (i32.add (local.get $data) (local.get $at)) (local.get $second) (local.get $part))
          (if (i32.lt_u (local.get $part) (local.get $second_size))
            (then
              (memory.copy $desk $guest
                (local.get $data) (i32.add (local.get $second) (local.get $part)) (i32.sub (local.get $second_size) (local.get $part)))))
          (local.set $at (i32.and (i32.add (local.get $at) (local.get $second_size)) (i32.const 0x1fffff)))))
      (local.set $filled (i32.add (local.get $filled) (local.get $moved)))
      (i32.store $desk offset=8 (local.get $ring) (local.get $filled))
      (local.set $told (i32.ge_u (local.get $filled) (i32.load $desk offset=16 (local.get $ring))))
      (i32.atomic.store $desk (local.get $ring) (i32.const 0))
      (global.set $held (i32.const 0))
      (i32.store $guest (local.get $result) (local.get $moved))
      (if (local.get $told) (then (call $nudge (local.get $ring) (i32.const 0))))
      (return (i32.const 0)))
    (call $host_write (local.get $fd) (local.get $iovs) (local.get $count) (local.get $result))))
