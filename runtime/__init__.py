"""The compact WASIX runtime on wasmtime. Internal."""
