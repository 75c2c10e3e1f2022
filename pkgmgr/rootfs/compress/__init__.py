"""Compressors as WebAssembly modules: libdeflate for gzip and Zstandard, so that the same bytes come out on every machine.

`gzip.wasm` and `zstd.wasm` are in the tree, made by `build.py` from the C files here and the libraries' sources, which are not;
`*.LICENSE` are theirs, and those of the C library that is linked.

Internal.
"""
