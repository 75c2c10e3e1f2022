"""What `pkgmgr` offers to programs; they import it from there. Internal."""
