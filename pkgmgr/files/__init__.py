"""Files that others may write, read or leave behind: read within bounds, replaced whole, held against others.

Internal.
"""
