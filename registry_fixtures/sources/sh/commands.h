/* Simple commands: which program, function or built-in a name means, and how it is run. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>

#include "ast.h"
#include "glob.h"

void execute_simple(struct node *node, int flags);

/* A simple command that can be started without a copy of the shell: it is an external one, and expanding its words
   changes nothing. Prepares it if so. */
struct external;
struct external *external_prepare(struct node *node);
/* Its pid; `input` and `output` become its standard streams unless they are -1, and `unwanted` is closed. */
int external_start(struct external *external, int input, int output, int unwanted);
void external_free(struct external *external);

/* Run a program in place of the shell, or as dash says: give up with 126 or 127. */
_Noreturn void run_program(char *const *arguments, const char *path);
/* `command name arguments`: no function, and no built-in is special. */
void run_without_functions(struct list *arguments, int flags, const char *path);

#endif
