"""Packages on this machine, by the sha256 of their file: the store, what it is asked, and how it is kept small and whole.

Internal.
"""

from pkgmgr.store.store import LARGEST, LAYERS, METADATA, NAMES, WORDS, Store, StoredObject, StoreInfo

__all__ = ["LARGEST", "LAYERS", "METADATA", "NAMES", "WORDS", "Store", "StoreInfo", "StoredObject"]
