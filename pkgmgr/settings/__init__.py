"""The user's configuration and tokens. Internal."""
