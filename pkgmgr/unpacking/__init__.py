"""From a WEBC file to a directory: `unpack`, and its steps: where things go, the manifest written anew, and safe writing.

Internal.
"""
