/* set, shift, export, readonly, unset, local: built-ins over the shell's variables, parameters and options. */
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "functions.h"
#include "memory.h"
#include "parameters.h"
#include "shell.h"
#include "variables.h"

struct option {
    char letter;
    const char *name;
    bool *on;
};

static const struct option options[] = {
    {'e', "errexit", &shell.options.exit_on_error}, {'f', "noglob", &shell.options.no_glob},
    {'i', "interactive", &shell.options.interactive}, {'n', "noexec", &shell.options.no_execution},
    {'s', "stdin", &shell.options.from_stdin},      {'x', "xtrace", &shell.options.trace},
    {'v', "verbose", &shell.options.verbose},       {'C', "noclobber", &shell.options.no_clobber},
    {'a', "allexport", &shell.options.all_export},  {'u', "nounset", &shell.options.unset_is_error},
};

enum { OPTIONS = sizeof options / sizeof *options };

static void print_options(bool as_commands) {
    if (!as_commands) {
        print("Current option settings\n");
    }
    for (int index = 0; index < OPTIONS; index++) {
        bool on = *options[index].on;
        if (as_commands) {
            print("set %co %s\n", on ? '-' : '+', options[index].name);
        } else {
            print("%-16s%s\n", options[index].name, on ? "on" : "off");
        }
    }
}

static bool set_named(const char *name, bool on) {
    for (int index = 0; index < OPTIONS; index++) {
        if (strcmp(options[index].name, name) == 0) {
            *options[index].on = on;
            return true;
        }
    }
    fail("Illegal option -o %s", name);
    return false;
}

static bool set_letter(char letter, bool on) {
    for (int index = 0; index < OPTIONS; index++) {
        if (options[index].letter == letter) {
            *options[index].on = on;
            return true;
        }
    }
    fail("Illegal option %c%c", on ? '-' : '+', letter);
    return false;
}

bool options_take(char **arguments, int count, int *used, bool from_command_line, char **command) {
    bool wants_command = false;
    while (*used < count) {
        const char *at = arguments[*used];
        bool on = *at == '-';
        if ((*at != '-' && *at != '+') || !at[1]) {
            if (on) {
                /* `-` alone ends the options; of `set` it also switches tracing off. */
                ++*used;
                if (!from_command_line) {
                    shell.options.trace = shell.options.verbose = false;
                }
            }
            break;
        }
        ++*used;
        if (strcmp(at, "--") == 0) {
            break;
        }
        while (*++at) {
            if (*at == 'c' && from_command_line) {
                wants_command = true;
            } else if (*at == 'l' && from_command_line) {
                continue;
            } else if (*at == 'o') {
                if (*used >= count) {
                    print_options(!on);
                } else if (!set_named(arguments[(*used)++], on)) {
                    return false;
                }
            } else if (!set_letter(*at, on)) {
                return false;
            }
        }
    }
    if (wants_command) {
        if (*used >= count) {
            fail("-c requires an argument");
            return false;
        }
        *command = arguments[(*used)++];
    }
    return true;
}

int builtin_set(int count, char **arguments) {
    if (count == 1) {
        size_t found;
        struct variable **sorted = variables_sorted(&found);
        for (size_t index = 0; index < found; index++) {
            if (sorted[index]->value) {
                char *quoted = in_quotes(sorted[index]->value);
                print("%s=%s\n", sorted[index]->name, quoted);
                free(quoted);
            }
        }
        free(sorted);
        return 0;
    }
    int used = 1;
    if (!options_take(arguments, count, &used, false, NULL)) {
        return STATUS_ERROR;
    }
    if (used < count || strcmp(arguments[used - 1], "--") == 0) {
        parameters_set(arguments + used, count - used);
    }
    return 0;
}

int builtin_shift(int count, char **arguments) {
    long by = count > 1 ? builtin_number(arguments[1]) : 1;
    if (by < 0) {
        return STATUS_ERROR;
    }
    if (by > shell.parameter_count) {
        fail("can't shift that many");
        return STATUS_ERROR;
    }
    parameters_shift((int)by);
    return 0;
}

static void print_marked(const char *command, bool exported) {
    size_t found;
    struct variable **sorted = variables_sorted(&found);
    for (size_t index = 0; index < found; index++) {
        const struct variable *variable = sorted[index];
        if (!(exported ? variable->exported : variable->read_only)) {
            continue;
        }
        if (variable->value) {
            char *quoted = in_quotes(variable->value);
            print("%s %s=%s\n", command, variable->name, quoted);
            free(quoted);
        } else {
            print("%s %s\n", command, variable->name);
        }
    }
    free(sorted);
}

/* `export` and `readonly`, and the setting that `local` does too. */
static int mark(int count, char **arguments, bool export, bool read_only) {
    int first = 1;
    bool listing = count == 1;
    if (count > 1 && strcmp(arguments[1], "-p") == 0) {
        listing = count == 2;
        first = 2;
    } else if (count > 1 && strcmp(arguments[1], "--") == 0) {
        first = 2;
    }
    if (listing) {
        print_marked(arguments[0], export);
        return 0;
    }
    for (int index = first; index < count; index++) {
        char *equals = strchr(arguments[index], '=');
        size_t length = equals ? (size_t)(equals - arguments[index]) : strlen(arguments[index]);
        if (!is_variable_name(arguments[index], length)) {
            fail("%.*s: bad variable name", (int)length, arguments[index]);
            return STATUS_ERROR;
        }
        char *name = copy_string(arguments[index]);
        name[length] = '\0';
        bool done = !equals || variable_set(name, equals + 1);
        struct variable *variable = variable_of(name);
        variable->exported |= export;
        variable->read_only |= read_only;
        free(name);
        if (!done) {
            return STATUS_ERROR;
        }
    }
    return 0;
}

int builtin_export(int count, char **arguments) {
    return mark(count, arguments, true, false);
}

int builtin_readonly(int count, char **arguments) {
    return mark(count, arguments, false, true);
}

int builtin_local(int count, char **arguments) {
    if (!shell.function_depth) {
        fail("not in a function");
        return STATUS_ERROR;
    }
    for (int index = 1; index < count; index++) {
        char *equals = strchr(arguments[index], '=');
        size_t length = equals ? (size_t)(equals - arguments[index]) : strlen(arguments[index]);
        if (!is_variable_name(arguments[index], length)) {
            fail("%.*s: bad variable name", (int)length, arguments[index]);
            return STATUS_ERROR;
        }
        char *name = copy_string(arguments[index]);
        name[length] = '\0';
        variable_make_local_in_function(name);
        bool done = !equals || variable_set(name, equals + 1);
        free(name);
        if (!done) {
            return STATUS_ERROR;
        }
    }
    return 0;
}

int builtin_unset(int count, char **arguments) {
    bool functions = false;
    int first = 1, status = 0;
    for (; first < count && arguments[first][0] == '-' && arguments[first][1]; first++) {
        if (strcmp(arguments[first], "--") == 0) {
            first++;
            break;
        }
        functions = strcmp(arguments[first], "-f") == 0;
        if (!functions && strcmp(arguments[first], "-v") != 0) {
            fail("Illegal option %s", arguments[first]);
            return STATUS_ERROR;
        }
    }
    for (int index = first; index < count; index++) {
        if (functions) {
            function_remove(arguments[index]);
        } else if (!is_variable_name(arguments[index], strlen(arguments[index]))) {
            fail("%s: bad variable name", arguments[index]);
            return STATUS_ERROR;
        } else if (!variable_unset(arguments[index])) {
            give_up(STATUS_ERROR);
            return STATUS_ERROR;
        }
    }
    return status;
}
