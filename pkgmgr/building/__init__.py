"""The steps of `pkgmgr.build`: what goes into a package, and in which form."""
