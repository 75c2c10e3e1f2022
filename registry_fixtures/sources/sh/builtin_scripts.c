/* ., eval, exec: built-ins that run other commands in this shell or in place of it. */
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "commands.h"
#include "memory.h"
#include "shell.h"
#include "source.h"
#include "system.h"
#include "variables.h"

/* `. file`. */
int builtin_dot(int count, char **arguments, bool fatal) {
    if (count < 2) {
        return 0;
    }
    const char *name = arguments[1];
    char *found = copy_string(name);
    struct file_status status;
    if (!strchr(name, '/')) {
        const char *path = search_path();
        bool exists = false;
        while (!exists && *path) {
            size_t length = strcspn(path, ":");
            free(found);
            struct text candidate = {0};
            text_add_bytes(&candidate, length ? path : ".", length ? length : 1);
            text_add(&candidate, '/');
            text_add_string(&candidate, name);
            found = text_end(&candidate);
            exists = sys_status(found, true, &status) == 0 && status.kind == KIND_FILE;
            path += length + (path[length] == ':');
        }
        if (!exists) {
            warn("%s: not found", name);
            free(found);
            if (fatal) {
                give_up(STATUS_ERROR);
            }
            return STATUS_ERROR;
        }
    }
    const char *outer = shell.builtin;
    shell.builtin = NULL;
    shell.source_depth++;
    shell.status = 0;
    int error = run_file(found);
    shell.source_depth--;
    shell.builtin = outer;
    free(found);
    if (error) {
        warn("cannot open %s: %s", name, system_message(error, "No such file"));
        if (fatal) {
            give_up(STATUS_ERROR);
        }
        return STATUS_ERROR;
    }
    if (shell.skip == SKIP_RETURN) {
        shell.skip = SKIP_NONE;
    }
    return shell.status;
}

int builtin_eval(int count, char **arguments) {
    struct text text = {0};
    for (int index = 1; index < count; index++) {
        text_add_string(&text, index > 1 ? " " : "");
        text_add_string(&text, arguments[index]);
    }
    text_end(&text);
    shell.status = 0;
    run_text(text.data, text.length, false);
    text_free(&text);
    return shell.status;
}

/* `exec`: the redirections stay, and the program replaces the shell. */
int builtin_exec(int count, char **arguments) {
    int first = count > 1 && strcmp(arguments[1], "--") == 0 ? 2 : 1;
    if (first >= count) {
        return 0;
    }
    run_program(arguments + first, search_path());
}
