/* ls: its command line. */
#ifndef LS_OPTIONS_H
#define LS_OPTIONS_H
/* Fills the settings and returns how many operands argv[1...] then holds. */
int ls_read_options(int argc, char **argv);
#endif
