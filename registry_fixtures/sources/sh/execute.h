/* Runs commands. */
#ifndef EXECUTE_H
#define EXECUTE_H

#include <stdbool.h>

#include "ast.h"

enum {
    EXECUTE_TESTED = 1, /* the status is looked at: a failure does not end the shell under -e */
    EXECUTE_LAST = 2    /* the process has nothing to do afterwards: it may become the command */
};

/* Run a command; its status goes to shell.status. */
void execute(struct node *node, int flags);
/* What a command writes to its standard output, without the line feeds at the end; to be freed. */
char *command_output(struct node *node);
/* A process with a copy of this shell: 0 in it, else its pid, or -1 with a message. */
int fork_shell(void);

#endif
