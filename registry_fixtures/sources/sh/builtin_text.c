/* echo, read, getopts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "escapes.h"
#include "memory.h"
#include "shell.h"
#include "signals.h"
#include "system.h"
#include "variables.h"

int builtin_echo(int count, char **arguments) {
    int first = count > 1 && strcmp(arguments[1], "-n") == 0 ? 2 : 1;
    for (int index = first; index < count; index++) {
        if (index > first) {
            text_add(&output, ' ');
        }
        if (!add_escaped(&output, arguments[index])) {
            return 0;
        }
    }
    if (first == 1) {
        text_add(&output, '\n');
    }
    return 0;
}

/* A line as `read` takes it: what a backslash protects is marked, so that it is not split. */
struct line {
    struct text characters, protected;
};

static void add(struct line *line, char c, bool protected) {
    text_add(&line->characters, c);
    text_add(&line->protected, protected);
}

static int read_line(struct line *line, bool raw) {
    bool escaped = false;
    for (;;) {
        char c;
        long count = sys_read(0, &c, 1);
        if (count == -EINTR) {
            if (signals_pending) {
                return STATUS_SIGNAL + trap_waiting();
            }
            continue;
        }
        if (count <= 0) {
            return 1;
        }
        if (!c) {
            continue;
        }
        if (escaped) {
            escaped = false;
            if (c != '\n') {
                add(line, c, true);
            }
        } else if (c == '\\' && !raw) {
            escaped = true;
        } else if (c == '\n') {
            return 0;
        } else {
            add(line, c, false);
        }
    }
}

static bool separates(const struct line *line, size_t at, const char *separators, bool blank) {
    char c = line->characters.data[at];
    return !line->protected.data[at] && strchr(separators, c) && (strchr(" \t\n", c) != NULL) == blank;
}

/* Give each name a field, the last one what is left. */
static bool assign_fields(const struct line *line, int count, char **names) {
    const char *separators = variable_value("IFS");
    separators = separators ? separators : " \t\n";
    size_t at = 0, end = line->characters.length;
    while (at < end && separates(line, at, separators, true)) {
        at++;
    }
    for (int index = 0; index < count; index++) {
        struct text value = {0};
        bool last = index == count - 1;
        size_t start = at, stop;
        while (at < end && !separates(line, at, separators, true) && !separates(line, at, separators, false)) {
            at++;
        }
        stop = at;
        while (at < end && separates(line, at, separators, true)) {
            at++;
        }
        if (at < end && separates(line, at, separators, false)) {
            at++;
            while (at < end && separates(line, at, separators, true)) {
                at++;
            }
        }
        if (last && at < end) {
            /* More than one field is left: all of it, without the blanks at its end. */
            for (stop = end; stop > start && separates(line, stop - 1, separators, true); stop--) {
            }
        }
        text_add_bytes(&value, line->characters.data ? line->characters.data + start : "", stop - start);
        bool done = variable_set(names[index], text_end(&value));
        text_free(&value);
        if (!done) {
            return false;
        }
    }
    return true;
}

int builtin_read(int count, char **arguments) {
    bool raw = false;
    int first = 1;
    for (; first < count && arguments[first][0] == '-' && arguments[first][1]; first++) {
        if (strcmp(arguments[first], "--") == 0) {
            first++;
            break;
        }
        if (strcmp(arguments[first], "-p") == 0 && first + 1 < count) {
            const char *prompt = arguments[++first];
            if (sys_is_terminal(0)) {
                sys_write(2, prompt, strlen(prompt));
            }
        } else if (strcmp(arguments[first], "-r") == 0) {
            raw = true;
        } else {
            fail("Illegal option %s", arguments[first]);
            shell.skip = SKIP_NONE;
            return STATUS_ERROR;
        }
    }
    if (first >= count) {
        warn("arg count");
        return STATUS_ERROR;
    }
    for (int index = first; index < count; index++) {
        if (!is_variable_name(arguments[index], strlen(arguments[index]))) {
            fail("%s: bad variable name", arguments[index]);
            return STATUS_ERROR;
        }
    }
    struct line line = {0};
    int status = read_line(&line, raw);
    if (!assign_fields(&line, count - first, arguments + first)) {
        status = STATUS_ERROR;
    }
    text_free(&line.characters);
    text_free(&line.protected);
    return status;
}

static bool finish_getopts(const char *name, const char *option, int index) {
    int position = getopts_position;
    bool done = variable_set(name, option) && variable_set_number("OPTIND", index);
    getopts_position = position;
    return done;
}

/* What is wrong with the script's own arguments is said without the shell's name. */
static void complain(const char *before, const char *option, const char *behind) {
    sys_write(2, before, strlen(before));
    sys_write(2, option, strlen(option));
    sys_write(2, behind, strlen(behind));
}

int builtin_getopts(int count, char **arguments) {
    if (count < 3) {
        fail("Usage: getopts optstring var [arg...]");
        return STATUS_ERROR;
    }
    const char *letters = arguments[1], *name = arguments[2], *value = variable_value("OPTIND");
    char **words = count > 3 ? arguments + 3 : shell.parameters;
    int words_count = count > 3 ? count - 3 : shell.parameter_count;
    int index = value ? atoi(value) : 1;
    if (index < 1) {
        index = 1;
    }
    bool silent = *letters == ':';
    const char *word = index <= words_count ? words[index - 1] : NULL;
    if (!word || (!getopts_position && (word[0] != '-' || !word[1])) || (getopts_position && !word[getopts_position])) {
        getopts_position = 0;
        finish_getopts(name, "?", index);
        return 1;
    }
    if (!getopts_position) {
        if (strcmp(word, "--") == 0) {
            finish_getopts(name, "?", index + 1);
            return 1;
        }
        getopts_position = 1;
    }
    char option[2] = {word[getopts_position++], '\0'};
    const char *found = option[0] == ':' ? NULL : strchr(letters, option[0]);
    bool at_end = !word[getopts_position];
    variable_set("OPTARG", "");
    if (found && found[1] == ':') {
        const char *argument = !at_end ? word + getopts_position : index < words_count ? words[index] : NULL;
        index += at_end && argument ? 2 : 1;
        getopts_position = 0;
        if (argument) {
            variable_set("OPTARG", argument);
        } else if (silent) {
            variable_set("OPTARG", option);
            option[0] = ':';
        } else {
            complain("No arg for -", option, " option\n");
            option[0] = '?';
        }
    } else {
        if (at_end) {
            index++;
            getopts_position = 0;
        }
        if (!found) {
            if (silent) {
                variable_set("OPTARG", option);
            } else {
                complain("Illegal option -", option, "\n");
            }
            option[0] = '?';
        }
    }
    return finish_getopts(name, option, index) ? 0 : STATUS_ERROR;
}
