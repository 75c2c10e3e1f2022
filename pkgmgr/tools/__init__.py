"""Tools: commands of packages that are installed for the user, with launchers on PATH. Internal."""
