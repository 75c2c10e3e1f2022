"""The WEBC container format, versions 1, 2 and 3: read and write."""
