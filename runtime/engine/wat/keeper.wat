;; The host's side of the desk: takes and gives back the lock of a ring, which Python cannot.
(module $keeper
  (import "desk" "memory" (memory $desk 1 65536 shared))

  ;; Whether the lock was got. A guest that has it has it for as long as one copy takes, or is not being run. Where the host
  ;; has it (2), it is whoever asks: the host's own threads wait for one another elsewhere, and one that an exception took
  ;; away (Ctrl-C) has left it.
  (func (export "lock") (param $ring i32) (result i32)
    (local $tries i32) (local $before i32)
    (local.set $tries (i32.const 2000))
    (loop $again
      (local.set $before (i32.atomic.rmw.cmpxchg $desk (local.get $ring) (i32.const 0) (i32.const 2)))
      (if (i32.or (i32.eqz (local.get $before)) (i32.eq (local.get $before) (i32.const 2)))
        (then (return (i32.const 1))))
      (br_if $again (local.tee $tries (i32.sub (local.get $tries) (i32.const 1)))))
    (i32.const 0))

  (func (export "unlock") (param $ring i32)
    (i32.atomic.store $desk (local.get $ring) (i32.const 0))))
