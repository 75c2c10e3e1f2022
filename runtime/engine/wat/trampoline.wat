;; What a guest gets as its import `stack_checkpoint`: a call through a slot, in which the host's function stands until
;; `checkpoints.wat` puts its own there. Instantiated before the guest, in the guest's store.
(module $checkpoint_slot
  (type $checkpoint (func (param i32 i32) (result i32)))
  (import "wpm" "stack_checkpoint" (func $host (type $checkpoint)))
  (import "wpm" "checkpoint_room" (func $room (type $checkpoint)))
  (table $slot 1 1 funcref)
  (elem (table $slot) (i32.const 0) func $host)

  (func $stack_checkpoint (type $checkpoint) (param $snapshot i32) (param $result i32) (result i32)
    (call_indirect $slot (type $checkpoint) (local.get $snapshot) (local.get $result) (i32.const 0)))

  (export "stack_checkpoint" (func $stack_checkpoint))
  (export "slot" (table $slot))
  (export "host" (func $host))
  (export "room" (func $room)))
