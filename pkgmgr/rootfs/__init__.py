"""Root filesystems as images: what packages, files and settings make of them, written, read, compared and run. Internal."""
