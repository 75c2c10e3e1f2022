#include "variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lexer.h"
#include "memory.h"
#include "shell.h"
#include "system.h"

enum { BUCKETS = 64 };

struct saved {
    struct saved *next;
    struct variable *variable;
    char *value;
    bool exported, read_only;
};

struct scope {
    struct scope *outer;
    struct saved *saved;
    bool of_function;
};

static struct variable *table[BUCKETS];
static struct scope *scope;
int getopts_position;

struct variable *variable_of(const char *name) {
    unsigned hash = 0;
    for (const char *at = name; *at; at++) {
        hash = hash * 31 + (unsigned char)*at;
    }
    struct variable **bucket = &table[hash % BUCKETS];
    for (struct variable *variable = *bucket; variable; variable = variable->next) {
        if (strcmp(variable->name, name) == 0) {
            return variable;
        }
    }
    size_t length = strlen(name) + 1;
    struct variable *variable = allocate(sizeof *variable + length);
    *variable = (struct variable){.next = *bucket};
    memcpy(variable->name, name, length);
    return *bucket = variable;
}

bool is_variable_name(const char *name, size_t length) {
    if (!length || !is_name_start((unsigned char)*name)) {
        return false;
    }
    for (size_t at = 1; at < length; at++) {
        if (!is_name_character((unsigned char)name[at])) {
            return false;
        }
    }
    return true;
}

const char *variable_value(const char *name) {
    if (strcmp(name, "LINENO") == 0) {
        static char number[16];
        snprintf(number, sizeof number, "%d", shell.line);
        return number;
    }
    return variable_of(name)->value;
}

const char *search_path(void) {
    const char *path = variable_value("PATH");
    return path ? path : "";
}

static void put(struct variable *variable, char *value) {
    free(variable->value);
    variable->value = value;
    if (strcmp(variable->name, "OPTIND") == 0) {
        getopts_position = 0;
    }
}

bool variable_set(const char *name, const char *value) {
    struct variable *variable = variable_of(name);
    if (variable->read_only) {
        fail("%s: is read only", name);
        return false;
    }
    put(variable, copy_string(value));
    variable->exported |= shell.options.all_export;
    return true;
}

bool variable_set_number(const char *name, long long value) {
    char number[24];
    snprintf(number, sizeof number, "%lld", value);
    return variable_set(name, number);
}

bool variable_unset(const char *name) {
    struct variable *variable = variable_of(name);
    if (variable->read_only) {
        warn("%s: is read only", name);
        return false;
    }
    put(variable, NULL);
    variable->exported = false;
    return true;
}

struct scope *scope_enter(void) {
    struct scope *inner = allocate(sizeof *inner);
    *inner = (struct scope){.outer = scope};
    return scope = inner;
}

void scope_is_function(struct scope *entered) {
    entered->of_function = true;
}

void scope_leave(struct scope *left) {
    for (struct saved *saved = left->saved, *next; saved; saved = next) {
        next = saved->next;
        put(saved->variable, saved->value);
        saved->variable->exported = saved->exported;
        saved->variable->read_only = saved->read_only;
        free(saved);
    }
    scope = left->outer;
    free(left);
}

static void make_local(struct scope *in, const char *name) {
    struct variable *variable = variable_of(name);
    for (struct saved *saved = in->saved; saved; saved = saved->next) {
        if (saved->variable == variable) {
            return;
        }
    }
    struct saved *saved = allocate(sizeof *saved);
    *saved = (struct saved){in->saved, variable, variable->value ? copy_string(variable->value) : NULL,
                            variable->exported, variable->read_only};
    in->saved = saved;
}

void variable_make_local(const char *name) {
    make_local(scope, name);
}

void variable_make_local_in_function(const char *name) {
    for (struct scope *in = scope; in; in = in->outer) {
        if (in->of_function) {
            make_local(in, name);
            return;
        }
    }
}

void variables_start(char **environment) {
    for (char **entry = environment; *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals && is_variable_name(*entry, (size_t)(equals - *entry)) && strncmp(*entry, "IFS=", 4) != 0) {
            char *name = copy_string(*entry);
            name[equals - *entry] = '\0';
            variable_set(name, equals + 1);
            variable_of(name)->exported = true;
            free(name);
        }
    }
    if (!variable_value("PATH")) {
        variable_set("PATH", "/usr/local/bin:/bin:/usr/bin");
    }
    variable_set("IFS", " \t\n");
    variable_set("OPTIND", "1");
    variable_set("PS1", "$ ");
    variable_set("PS2", "> ");
    variable_set("PS4", "+ ");
    variable_set_number("PPID", sys_parent_pid());
    char *here = sys_working_directory();
    if (here) {
        variable_set("PWD", here);
        variable_of("PWD")->exported = true;
        free(here);
    }
}

struct variable **variables_sorted(size_t *count) {
    size_t found = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        for (struct variable *variable = table[bucket]; variable; variable = variable->next) {
            found++;
        }
    }
    struct variable **list = allocate((found + 1) * sizeof *list);
    found = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        for (struct variable *variable = table[bucket]; variable; variable = variable->next) {
            size_t at = found++;
            for (; at && strcmp(list[at - 1]->name, variable->name) > 0; at--) {
                list[at] = list[at - 1];
            }
            list[at] = variable;
        }
    }
    *count = found;
    return list;
}

char **environment_list(void) {
    size_t count, used = 0;
    struct variable **sorted = variables_sorted(&count);
    char **list = allocate((count + 1) * sizeof *list);
    for (size_t index = 0; index < count; index++) {
        const struct variable *variable = sorted[index];
        if (variable->exported && variable->value) {
            size_t name = strlen(variable->name), value = strlen(variable->value);
            char *entry = list[used++] = allocate(name + value + 2);
            memcpy(entry, variable->name, name);
            entry[name] = '=';
            memcpy(entry + name + 1, variable->value, value + 1);
        }
    }
    list[used] = NULL;
    free(sorted);
    return list;
}

void environment_free(char **list) {
    for (char **entry = list; *entry; entry++) {
        free(*entry);
    }
    free(list);
}
