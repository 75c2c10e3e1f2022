/* The commands that the shell does itself. */
#ifndef BUILTINS_H
#define BUILTINS_H

#include <stdbool.h>

struct builtin {
    const char *name;
    /* NULL for those that run other commands: see commands.c. */
    int (*run)(int count, char **arguments);
    bool special;
};

/* NULL if there is none. */
const struct builtin *builtin_find(const char *name);

/* As `set` and the shell's own command line take options: moves over them in `arguments`; false with a message. */
bool options_take(char **arguments, int count, int *used, bool from_command_line, char **command);

/* These run commands: they are called by their names, so that the stack can be taken apart below them. */
int builtin_dot(int count, char **arguments, bool fatal);
int builtin_eval(int count, char **arguments);
int builtin_exec(int count, char **arguments);

int builtin_test(int count, char **arguments);
int builtin_printf(int count, char **arguments);
int builtin_echo(int count, char **arguments);
int builtin_read(int count, char **arguments);
int builtin_getopts(int count, char **arguments);
int builtin_cd(int count, char **arguments);
int builtin_pwd(int count, char **arguments);
int builtin_umask(int count, char **arguments);
int builtin_set(int count, char **arguments);
int builtin_shift(int count, char **arguments);
int builtin_export(int count, char **arguments);
int builtin_readonly(int count, char **arguments);
int builtin_unset(int count, char **arguments);
int builtin_local(int count, char **arguments);
int builtin_break(int count, char **arguments);
int builtin_return(int count, char **arguments);
int builtin_exit(int count, char **arguments);
int builtin_trap(int count, char **arguments);
int builtin_kill(int count, char **arguments);
int builtin_wait(int count, char **arguments);
int builtin_times(int count, char **arguments);
int builtin_type(int count, char **arguments);
/* `command -v` and `command -V`: how the names would be understood. */
int describe_commands(int count, char **names, bool verbose);

/* A number as built-ins take it; -1 with a message. */
long builtin_number(const char *text);
/* A text in quotes, so that it could be read again; to be freed. */
char *in_quotes(const char *text);

#endif
