"""HTTP as a package manager needs it: bounded, tried again where that may help, and sparing with secrets. Internal."""
