;; Reads the clocks that the engine's own WASI can read without the host, for a guest that does so often: the time of day,
;; and the monotonic clock, which the engine counts from another moment. The rest is the host's.
(module $host_call_clock
  (type $clock (func (param i32 i64 i32) (result i32)))
  (import "guest" "memory" (memory $guest 0 65536 shared))
  (import "desk" "memory" (memory $desk 1 65536 shared))
  (import "engine" "clock_time_get" (func $engine (type $clock)))
  (import "front" "slots" (table $slots 3 3 funcref))
  (import "front" "host_clock" (func $host (type $clock)))

  ;; Where the engine writes: it looks for its caller's memory by this name.
  (memory $own (export "memory") 1 1)
  ;; Set by the host: where on the desk it stands how far the time of day is ahead; what is to be added to the monotonic
  ;; clock; how many clocks are read here.
  (global $ahead (export "ahead") (mut i32) (i32.const 0))
  (global $later (export "later") (mut i64) (i64.const 0))
  (global $clocks (export "clocks") (mut i32) (i32.const 0))

  ;; As in `desk.wat`: now and then it is the host's turn.
  (global $served (mut i32) (i32.const 0))

  (elem declare func $clock_time_get)

  (func $clock_time_get (type $clock) (param $clock i32) (param $precision i64) (param $result i32) (result i32)
    (global.set $served (i32.add (global.get $served) (i32.const 1)))
    (if (i32.and
          (i32.and
            (i32.lt_u (local.get $clock) (global.get $clocks))
            (i32.ne (i32.and (global.get $served) (i32.const 1023)) (i32.const 0)))
          (i64.le_u
            (i64.add (i64.extend_i32_u (local.get $result)) (i64.const 8))
            (i64.shl (i64.extend_i32_u (memory.size $guest)) (i64.const 16))))
      (then
        (if (i32.eqz (call $engine (local.get $clock) (i64.const 0) (i32.const 0)))
          (then
            (i64.store $guest (local.get $result)
              (i64.add
                (i64.load $own (i32.const 0))
                (select
                  (global.get $later)
                  (i64.atomic.load $desk (global.get $ahead))
                  (local.get $clock))))
            (return (i32.const 0))))))
    (call $host (local.get $clock) (local.get $precision) (local.get $result)))

  ;; The engine's monotonic clock between two readings of the time of day, which it has in common with the host.
  (global $before (export "before") (mut i64) (i64.const 0))
  (global $monotonic (export "monotonic") (mut i64) (i64.const 0))
  (global $after (export "after") (mut i64) (i64.const 0))
  (func $read (param $clock i32) (result i64)
    (drop (call $engine (local.get $clock) (i64.const 0) (i32.const 0)))
    (i64.load $own (i32.const 0)))
  (func (export "compare")
    (global.set $before (call $read (i32.const 0)))
    (global.set $monotonic (call $read (i32.const 1)))
    (global.set $after (call $read (i32.const 0))))

  ;; Be what the guest calls from now on.
  (func (export "install")
    (table.set $slots (i32.const 2) (ref.func $clock_time_get))))
