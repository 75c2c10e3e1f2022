"""Constants and layouts of the WASI and WASIX binary interface. Internal."""
