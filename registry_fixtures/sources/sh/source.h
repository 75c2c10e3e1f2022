/* Runs what the input holds: scripts, strings, traps. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

/* Run the commands of the input that was pushed last, to its end. `last`: the shell does nothing after it. */
void run_input(bool last);
/* Run a text's commands, in this shell. */
void run_text(const char *text, size_t length, bool last);
/* Run a file's commands, in this shell; the errno if it cannot be opened. */
int run_file(const char *path);
/* Keep what is being run: a function is made of it. */
void keep_parsed(void);
/* Run the EXIT trap, write what is to be written, and end. */
_Noreturn void exit_shell(void);

#endif
