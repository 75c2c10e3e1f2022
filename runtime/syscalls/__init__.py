"""The host functions that guests import, one module a family. Internal."""
