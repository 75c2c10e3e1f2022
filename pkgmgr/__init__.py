"""The package manager: manifests, registries, resolution, the lock, the store and the command line."""
