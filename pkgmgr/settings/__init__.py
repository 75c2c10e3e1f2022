"""The user's configuration and tokens."""
