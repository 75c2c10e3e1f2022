"""From a directory with a `wasmer.toml` to a WEBC file: `build`, and its steps: what goes into a package, and in which form.

Internal.
"""
