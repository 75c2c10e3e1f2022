"""Dependencies that are directories: built, and the result put into the store."""
