"""Tab completion: from a line that somebody types to what may stand there. It never asks the network, and never fails.

Internal.
"""
