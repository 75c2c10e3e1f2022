#include "builtins.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "shell.h"

static int succeed(int count, char **arguments) {
    (void)count, (void)arguments;
    return 0;
}

static int do_fail(int count, char **arguments) {
    (void)count, (void)arguments;
    return 1;
}

static const struct builtin table[] = {
    {".", NULL, true},
    {":", succeed, true},
    {"[", builtin_test, false},
    {"break", builtin_break, true},
    {"cd", builtin_cd, false},
    {"command", NULL, false},
    {"continue", builtin_break, true},
    {"echo", builtin_echo, false},
    {"eval", NULL, true},
    {"exec", NULL, true},
    {"exit", builtin_exit, true},
    {"export", builtin_export, true},
    {"false", do_fail, false},
    {"getopts", builtin_getopts, false},
    {"kill", builtin_kill, false},
    {"local", builtin_local, true},
    {"printf", builtin_printf, false},
    {"pwd", builtin_pwd, false},
    {"read", builtin_read, false},
    {"readonly", builtin_readonly, true},
    {"return", builtin_return, true},
    {"set", builtin_set, true},
    {"shift", builtin_shift, true},
    {"test", builtin_test, false},
    {"times", builtin_times, true},
    {"trap", builtin_trap, true},
    {"true", succeed, false},
    {"type", builtin_type, false},
    {"umask", builtin_umask, false},
    {"unset", builtin_unset, true},
    {"wait", builtin_wait, false},
};

const struct builtin *builtin_find(const char *name) {
    for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
        if (strcmp(table[index].name, name) == 0) {
            return &table[index];
        }
    }
    return NULL;
}

long builtin_number(const char *text) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value > 2147483647) {
        fail("Illegal number: %s", text);
        return -1;
    }
    return value;
}

char *in_quotes(const char *text) {
    struct text quoted = {0};
    const char *at = text;
    do {
        size_t plain = strcspn(at, "'");
        if (plain || at == text) {
            text_add(&quoted, '\'');
            text_add_bytes(&quoted, at, plain);
            text_add(&quoted, '\'');
            at += plain;
        }
        size_t quotes = strspn(at, "'");
        if (quotes) {
            text_add(&quoted, '"');
            text_add_bytes(&quoted, at, quotes);
            text_add(&quoted, '"');
            at += quotes;
        }
    } while (*at);
    return text_end(&quoted);
}
