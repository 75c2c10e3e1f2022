"""The errors of the package manager."""


class WpmError(Exception):
    """Something that a person can put right: the message is one line saying what, where and what to do next."""


class NotAsPromised(WpmError):
    """A package whose bytes are not those that were asked for."""


class Unreachable(WpmError):
    """A server that could not be asked: no network, refused, timed out, or failing however often it was tried."""


class Refused(WpmError):
    """A server that answered, and said no.

    Attributes:
        status: The status of its reply, as 404; 0 where another error was made of this one.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
