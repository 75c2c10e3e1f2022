"""The package manager: manifests, registries, resolution, the lock, the store and the command line."""

__version__ = "0.1.0"
