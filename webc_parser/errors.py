"""The one exception of this floor."""

MAX_MESSAGE = 1000


class WebcError(Exception):
    """A container that cannot be read, verified or written.

    The message is one line: what is wrong, where, and where it helps, what to do.

    Attributes:
        offset: the byte offset in the container at which the fault was seen, if there is one.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        if not message.isprintable():  # a name out of the container may hold line ends and worse
            message = message.encode("unicode_escape").decode("ascii")
        if len(message) > MAX_MESSAGE:
            message = f"{message[:MAX_MESSAGE]}..."
        super().__init__(f"{message} (at byte {offset})" if offset is not None else message)
        self.offset = offset
