"""The steps of `pkgmgr.unpack`: where things go, the manifest written anew, and safe writing."""
