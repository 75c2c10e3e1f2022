"""A locked project as an environment: launchers, a shell, one file that restores it elsewhere. Internal."""
