"""The errors of the binary factory."""


class FactoryError(Exception):
    """A package that cannot become programs: a command without its atom, a dependency that is missing, a bad mount."""
