"""`wasmer.lock`: its format, its reader, and what can be told from a lock alone. Internal."""
