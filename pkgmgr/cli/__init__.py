"""The wpm command line: one module a verb. Internal."""
