"""The ways in which a guest thread leaves its code from within a host call, and what comes next.

An `Unwind` is raised by a syscall; the engine traps the guest out of its code. `after` then runs on the thread, outside
the guest: it ends the thread or the process, or makes the thread ready to enter the guest's code again.
"""

from __future__ import annotations

from abc import abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.asyncify import Frames
    from runtime.programs import Program
    from runtime.thread import GuestThread


class Unwind(BaseException):
    """Leaves the guest's code."""

    @abstractmethod
    def after(self, thread: GuestThread) -> bool:
        """What to do outside the guest's code; whether the thread enters it again."""


class ProcessExit(Unwind):
    """The process ends with this code: `proc_exit`, a deadly signal, or the end of a limit."""

    def __init__(self, code: int, signal: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.signal = signal

    def after(self, thread: GuestThread) -> bool:
        """End the process; a vfork parent gets its stack back."""
        thread.process.terminate(self.code, self.signal)
        return thread.give_back()


class ThreadExit(Unwind):
    """This thread ends; the last one to end ends the process, with its code."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code

    def after(self, thread: GuestThread) -> bool:
        """End the thread."""
        thread.exit_code = self.code
        return thread.give_back(self.code)


class Exec(Unwind):
    """The process runs another program from now on."""

    def __init__(self, program: Program) -> None:
        super().__init__(program.name)
        self.program = program

    def after(self, thread: GuestThread) -> bool:
        """Load the program: here, or in a thread of its own for the child of a vfork, whose parent then goes on."""
        return thread.replace_image(self.program)


class Resume(Unwind):
    """The thread comes back to where its stack was taken, with a result (longjmp)."""

    def __init__(self, frames: Frames, result: int) -> None:
        super().__init__(result)
        self.frames = frames
        self.result = result

    def after(self, thread: GuestThread) -> bool:
        """Put the stack back."""
        thread.asyncify.put(self.frames)
        thread.rewind(self.result)
        return True
