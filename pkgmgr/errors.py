"""The errors of the package manager."""


class WpmError(Exception):
    """Something that a person can put right: the message is one line saying what, where and what to do next."""


class NotAsPromised(WpmError):
    """A package whose bytes are not those that were asked for."""
