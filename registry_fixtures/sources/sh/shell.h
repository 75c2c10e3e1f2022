/* The shell's state, and what it does when something goes wrong. */
#ifndef SHELL_H
#define SHELL_H

#include <stdbool.h>

#include "memory.h"

/* Why commands are being skipped: set by break, return, exit and by errors, and cleared by whoever they concern. */
enum skip { SKIP_NONE, SKIP_BREAK, SKIP_CONTINUE, SKIP_RETURN, SKIP_ABORT, SKIP_EXIT };

enum { STATUS_ERROR = 2, STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

struct options {
    bool all_export, no_clobber, exit_on_error, no_glob, interactive, no_execution, from_stdin, unset_is_error, verbose, trace;
};

struct shell {
    const char *name;           /* $0, in messages */
    const char *builtin;        /* the built-in that runs, in messages */
    char **parameters;          /* $1.. */
    int parameter_count;
    int status;                 /* $? */
    int pid;                    /* $$ */
    int last_background;        /* $! */
    int line;                   /* of the command that runs */
    int function_line;          /* where the function that runs begins, 0 outside of functions */
    int substitution_status;    /* of the last command substitution, -1 if there was none */
    enum skip skip;
    int skip_count;             /* loops that break and continue still have to leave */
    int loop_depth, function_depth, source_depth;
    bool gave_up;               /* give_up was called */
    bool child;                 /* a process of its own for a subshell */
    struct options options;
};

extern struct shell shell;

/* Say what is wrong, with the shell's name and the line. */
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
/* As warn, and give up what is being done: the whole script, or at a prompt the command line. */
__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
/* As fail, with a message that has been given already. */
void give_up(int status);
/* As warn, but for an error of the system in dash's words: `opening`, `creating` and `running` have their own. */
const char *system_message(int error, const char *not_found);

/* Standard output of built-ins is collected here, and written by output_flush; its errno. */
extern struct text output;
int output_flush(void);
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

#endif
