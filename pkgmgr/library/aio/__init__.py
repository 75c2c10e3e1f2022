"""What `pkgmgr.aio` offers to programs; they import it from there. Internal."""
