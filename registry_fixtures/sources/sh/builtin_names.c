/* cd, pwd, umask, type: built-ins over directories and the names of commands. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "commands.h"
#include "functions.h"
#include "memory.h"
#include "shell.h"
#include "system.h"
#include "variables.h"

/* The path without `.` and `..`, as it is written: links are not looked at. To be freed. */
static char *simplified(const char *path) {
    struct text text = {0};
    while (*path) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 2 && strncmp(path, "..", 2) == 0) {
            while (text.length && text.data[--text.length] != '/') {
            }
        } else if (length && !(length == 1 && *path == '.')) {
            text_add(&text, '/');
            text_add_bytes(&text, path, length);
        }
        path += length;
    }
    if (!text.length) {
        text_add(&text, '/');
    }
    return text_end(&text);
}

static char *joined_path(const char *directory, size_t length, const char *name) {
    struct text text = {0};
    text_add_bytes(&text, directory, length);
    text_add(&text, '/');
    text_add_string(&text, name);
    return text_end(&text);
}

/* Go there; PWD follows. */
static bool change(const char *path, bool physical, bool tell) {
    const char *here = variable_value("PWD");
    char *whole = *path == '/' || !here ? copy_string(path) : joined_path(here, strlen(here), path);
    char *target = physical ? copy_string(whole) : simplified(whole);
    free(whole);
    struct file_status status;
    bool done = sys_status(target, true, &status) == 0 && status.kind == KIND_DIRECTORY && sys_chdir(target) == 0;
    if (done) {
        char *found = physical ? sys_working_directory() : NULL;
        const char *now = found ? found : target;
        variable_set("OLDPWD", here ? here : "");
        variable_set("PWD", now);
        variable_of("PWD")->exported = variable_of("OLDPWD")->exported = true;
        if (tell) {
            print("%s\n", now);
        }
        free(found);
    }
    free(target);
    return done;
}

int builtin_cd(int count, char **arguments) {
    bool physical = false;
    int first = 1;
    for (; first < count && arguments[first][0] == '-' && arguments[first][1]; first++) {
        if (strcmp(arguments[first], "--") == 0) {
            first++;
            break;
        }
        if (strspn(arguments[first] + 1, "LP") != strlen(arguments[first] + 1)) {
            fail("Illegal option %s", arguments[first]);
            return STATUS_ERROR;
        }
        physical = arguments[first][strlen(arguments[first]) - 1] == 'P';
    }
    const char *target = first < count ? arguments[first] : variable_value("HOME");
    bool tell = false;
    if (!target) {
        return 0;
    }
    if (strcmp(target, "-") == 0) {
        target = variable_value("OLDPWD");
        tell = true;
        if (!target) {
            target = variable_value("PWD");
        }
    }
    const char *path = variable_value("CDPATH");
    if (path && *target != '/' && *target != '.') {
        while (*path) {
            size_t length = strcspn(path, ":");
            char *candidate = length ? joined_path(path, length, target) : copy_string(target);
            bool done = change(candidate, physical, length != 0);
            free(candidate);
            if (done) {
                return 0;
            }
            path += length + (path[length] == ':');
        }
    }
    if (!*target || change(target, physical, tell)) {
        return 0;
    }
    fail("can't cd to %s", target);
    shell.skip = SKIP_NONE;
    return STATUS_ERROR;
}

int builtin_pwd(int count, char **arguments) {
    const char *logical = variable_value("PWD");
    bool physical = count > 1 && strcmp(arguments[count - 1], "-P") == 0;
    char *found = physical || !logical ? sys_working_directory() : NULL;
    print("%s\n", found ? found : logical ? logical : "");
    free(found);
    return 0;
}

static int mask = 022;

static void print_symbolic(void) {
    static const char *const classes = "ugo";
    for (int index = 0; index < 3; index++) {
        int allowed = ~mask >> (6 - 3 * index) & 7;
        print("%s%c=%s%s%s", index ? "," : "", classes[index], allowed & 4 ? "r" : "", allowed & 2 ? "w" : "",
              allowed & 1 ? "x" : "");
    }
    print("\n");
}

/* `u=rwx,go-w`: each clause says what is allowed. */
static bool set_symbolic(const char *text) {
    int allowed = ~mask & 0777;
    do {
        int who = 0, bits = 0;
        for (; *text && strchr("ugoa", *text); text++) {
            who |= *text == 'u' ? 0700 : *text == 'g' ? 070 : *text == 'o' ? 07 : 0777;
        }
        char operator = *text++;
        if (!operator || !strchr("+-=", operator)) {
            return false;
        }
        for (; *text && strchr("rwxX", *text); text++) {
            bits |= *text == 'r' ? 0444 : *text == 'w' ? 0222 : 0111;
        }
        who = who ? who : 0777;
        allowed = operator == '+' ? allowed | (bits & who) : operator == '-' ? allowed & ~(bits & who)
                                                                               : (allowed & ~who) | (bits & who);
    } while (*text++ == ',');
    if (text[-1]) {
        return false;
    }
    mask = ~allowed & 0777;
    return true;
}

int builtin_umask(int count, char **arguments) {
    bool symbolic = count > 1 && strcmp(arguments[1], "-S") == 0;
    if (count == 1 + symbolic) {
        if (symbolic) {
            print_symbolic();
        } else {
            print("%04o\n", mask);
        }
        return 0;
    }
    const char *text = arguments[1 + symbolic];
    if (*text >= '0' && *text <= '9') {
        char *end;
        long value = strtol(text, &end, 8);
        if (*end || value > 0777) {
            fail("Illegal number: %s", text);
            return STATUS_ERROR;
        }
        mask = (int)value;
    } else if (!set_symbolic(text)) {
        fail("Illegal mode: %s", text);
        return STATUS_ERROR;
    }
    return 0;
}

/* Where a program is, to be freed; NULL if it is nowhere. */
static char *find_program(const char *name) {
    struct file_status status;
    if (strchr(name, '/')) {
        return sys_status(name, true, &status) == 0 && status.kind != KIND_DIRECTORY ? copy_string(name) : NULL;
    }
    const char *path = variable_value("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        char *candidate = joined_path(length ? path : ".", length ? length : 1, name);
        if (sys_status(candidate, true, &status) == 0 && status.kind != KIND_DIRECTORY) {
            return candidate;
        }
        free(candidate);
        path += length + (path[length] == ':');
    }
    return NULL;
}

int describe_commands(int count, char **names, bool verbose) {
    static const char *const keywords[] = {"!",  "case", "do", "done", "elif",  "else",  "esac", "fi",
                                           "for", "if",   "in", "then", "until", "while", "{",    "}"};
    int status = 0;
    for (int index = 0; index < count; index++) {
        const char *name = names[index];
        const struct builtin *builtin = builtin_find(name);
        const char *kind = NULL;
        for (size_t at = 0; at < sizeof keywords / sizeof *keywords; at++) {
            kind = strcmp(keywords[at], name) == 0 ? " is a shell keyword" : kind;
        }
        if (!kind && builtin && builtin->special) {
            kind = " is a special shell builtin";
        } else if (!kind && function_find(name)) {
            kind = " is a shell function";
        } else if (!kind && builtin) {
            kind = " is a shell builtin";
        }
        char *path = kind ? NULL : find_program(name);
        if (!kind && !path) {
            if (verbose) {
                print("%s: not found\n", name);
            }
            status = STATUS_NOT_FOUND;
        } else if (!verbose) {
            print("%s\n", path ? path : name);
        } else if (path) {
            print("%s is %s\n", name, path);
        } else {
            print("%s%s\n", name, kind);
        }
        free(path);
    }
    return status;
}

int builtin_type(int count, char **arguments) {
    return describe_commands(count - 1, arguments + 1, true);
}
