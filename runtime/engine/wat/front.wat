;; What a guest gets as its imports `fd_read`, `fd_write` and `clock_time_get` where our modules are at hand: calls through
;; slots. At first the host's functions stand behind them, counted; a guest that calls them often is given `desk.wat` or
;; `clock.wat`, which put their own there. Instantiated before the guest, in the guest's store.
(module $host_call_front
  (type $transfer (func (param i32 i32 i32 i32) (result i32)))
  (type $clock (func (param i32 i64 i32) (result i32)))
  (import "wpm" "fd_read" (func $fd_read (type $transfer)))
  (import "wpm" "fd_write" (func $fd_write (type $transfer)))
  (import "wpm" "clock_time_get" (func $clock_time_get (type $clock)))
  (import "wpm" "hurry" (func $hurry (param i32) (result i32)))
  (import "wpm" "nudge" (func $nudge (param i32 i32)))
  (table $slots 3 3 funcref)
  (elem (table $slots) (i32.const 0) func $counted_read $counted_write $counted_clock)

  ;; So many calls the host answers itself: most guests never make as many.
  (global $transfers (mut i32) (i32.const 200))
  (global $readings (mut i32) (i32.const 200))

  (func $count_transfer
    (global.set $transfers (i32.sub (global.get $transfers) (i32.const 1)))
    (if (i32.eqz (global.get $transfers)) (then (drop (call $hurry (i32.const 0))))))
  (func $counted_read (type $transfer) (param $fd i32) (param $iovs i32) (param $count i32) (param $result i32) (result i32)
    (call $count_transfer)
    (call $fd_read (local.get $fd) (local.get $iovs) (local.get $count) (local.get $result)))
  (func $counted_write (type $transfer) (param $fd i32) (param $iovs i32) (param $count i32) (param $result i32) (result i32)
    (call $count_transfer)
    (call $fd_write (local.get $fd) (local.get $iovs) (local.get $count) (local.get $result)))
  (func $counted_clock (type $clock) (param $clock i32) (param $precision i64) (param $result i32) (result i32)
    (global.set $readings (i32.sub (global.get $readings) (i32.const 1)))
    (if (i32.eqz (global.get $readings)) (then (drop (call $hurry (i32.const 1)))))
    (call $clock_time_get (local.get $clock) (local.get $precision) (local.get $result)))

  (func (export "fd_read") (type $transfer) (param $fd i32) (param $iovs i32) (param $count i32) (param $result i32) (result i32)
    (call_indirect $slots (type $transfer)
      (local.get $fd) (local.get $iovs) (local.get $count) (local.get $result) (i32.const 0)))
  (func (export "fd_write") (type $transfer) (param $fd i32) (param $iovs i32) (param $count i32) (param $result i32) (result i32)
    (call_indirect $slots (type $transfer)
      (local.get $fd) (local.get $iovs) (local.get $count) (local.get $result) (i32.const 1)))
  (func (export "clock_time_get") (type $clock) (param $clock i32) (param $precision i64) (param $result i32) (result i32)
    (call_indirect $slots (type $clock) (local.get $clock) (local.get $precision) (local.get $result) (i32.const 2)))

  (export "slots" (table $slots))
  (export "nudge" (func $nudge))
  (export "host_read" (func $fd_read))
  (export "host_write" (func $fd_write))
  (export "host_clock" (func $clock_time_get)))
