"""Images and package artifacts of a directory registry, for every client that speaks the OCI distribution protocol.

Internal.
"""
