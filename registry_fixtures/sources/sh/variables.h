/* Variables, and the scopes of functions and of single commands. */
#ifndef VARIABLES_H
#define VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

struct variable {
    struct variable *next;
    char *value;            /* NULL while it is not set */
    bool exported, read_only;
    char name[];
};

void variables_start(char **environment);
/* NULL when it is not set. */
const char *variable_value(const char *name);
/* PATH, empty when it is not set. */
const char *search_path(void);
/* false with a message when it is read-only. */
bool variable_set(const char *name, const char *value);
bool variable_set_number(const char *name, long long value);
bool variable_unset(const char *name);
struct variable *variable_of(const char *name);
bool is_variable_name(const char *name, size_t length);

/* What is made local goes back to what it was when its scope is left. */
struct scope;
struct scope *scope_enter(void);
/* The scope that was entered last is a function's. */
void scope_is_function(struct scope *scope);
void scope_leave(struct scope *scope);
void variable_make_local(const char *name);
/* As variable_make_local, for the function that runs and not for the one command that has variables of its own. */
void variable_make_local_in_function(const char *name);

/* `NAME=VALUE` of all that is exported; the list and its strings are freed by free_environment. */
char **environment_list(void);
void environment_free(char **list);

/* All variables in order of their names, for `set`, `export -p` and `readonly -p`; to be freed. */
struct variable **variables_sorted(size_t *count);

/* Where getopts is: set back whenever OPTIND is. */
extern int getopts_position;

#endif
