"""The errors of the runtime."""


class RuntimeFault(Exception):
    """The runtime cannot do what it was asked: a module that does not load, an import nobody provides, a bad option.

    A guest's own failures are not faults: an exit code is a result, a bad pointer is `Errno.FAULT`, a trap is a `Trap`.
    """
