/* The options of a command line, GNU style. */
#include "option_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applet.h"
#include "quote_name.h"

_Noreturn void option_error(const struct option_scan *scan, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", applet_name);
    vfprintf(stderr, format, values);
    va_end(values);
    for (int i = 1; scan->dash_hint && i < scan->argc; i++) {
        struct stat status;
        if (scan->argv[i][0] != '-' || lstat(scan->argv[i], &status)) continue;
        fprintf(stderr, "\nTry '%s ./%s' to %s the file %s.", applet_name, scan->argv[i], scan->dash_hint, quoted(scan->argv[i]));
        break;
    }
    fprintf(stderr, "\nTry '%s --help' for more information.\n", applet_name);
    exit(scan->usage_status);
}

/* The frame of the module prints the help of the applet that runs, NAME_help, and the version. */
_Noreturn void applet_print_help(void);
_Noreturn void applet_print_version(void);

/* The option that the long name, or a prefix that only one option has, stands for. */
static const struct option_spec *find_long(const struct option_scan *scan, const char *name, size_t length) {
    const struct option_spec *found = NULL;
    bool ambiguous = false;
    for (const struct option_spec *spec = scan->specs; spec->id; spec++) {
        if (!spec->name || strncmp(spec->name, name, length)) continue;
        if (!spec->name[length]) return spec;
        if (found && (found->id != spec->id || found->argument != spec->argument)) ambiguous = true;
        found = spec;
    }
    if (length >= 1 && !strncmp("help", name, length) && !found) applet_print_help();
    if (length >= 4 && !strncmp("version", name, length) && !found) applet_print_version();
    if (!ambiguous) return found;
    char message[512];
    size_t used = (size_t)snprintf(message, sizeof message, "option '--%.*s' is ambiguous; possibilities:", (int)length, name);
    for (const struct option_spec *spec = scan->specs; spec->id && used < sizeof message; spec++) {
        if (spec->name && !strncmp(spec->name, name, length))
            used += (size_t)snprintf(message + used, sizeof message - used, " '--%s'", spec->name);
    }
    option_error(scan, "%s", message);
}

static int take_long(struct option_scan *scan, char *text) {
    char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    const struct option_spec *spec = find_long(scan, text, length);
    if (!spec) option_error(scan, "unrecognized option '--%s'", text);
    if (equals && spec->argument == NO_ARGUMENT) option_error(scan, "option '--%s' doesn't allow an argument", spec->name);
    if (equals) {
        scan->argument = equals + 1;
    } else if (spec->argument == REQUIRED_ARGUMENT) {
        if (scan->next >= scan->argc) option_error(scan, "option '--%s' requires an argument", spec->name);
        scan->argument = scan->argv[scan->next++];
    }
    return spec->id;
}

static int take_letter(struct option_scan *scan) {
    int letter = (unsigned char)*scan->bundle++;
    const struct option_spec *spec = scan->specs;
    while (spec->id && spec->id != letter) spec++;
    if (!spec->id) option_error(scan, "invalid option -- '%c'", letter);
    if (*scan->bundle && spec->argument == REQUIRED_ARGUMENT) {
        scan->argument = scan->bundle;
        scan->bundle = NULL;
    } else if (spec->argument == REQUIRED_ARGUMENT) {
        if (scan->next >= scan->argc) option_error(scan, "option requires an argument -- '%c'", letter);
        scan->argument = scan->argv[scan->next++];
        scan->bundle = NULL;
    }
    if (scan->bundle && !*scan->bundle) scan->bundle = NULL;
    return letter;
}

int option_next(struct option_scan *scan) {
    if (!scan->started) {
        scan->started = true;
        scan->next = 1;
        scan->operand_count = 0;
    }
    scan->argument = NULL;
    if (scan->bundle) return take_letter(scan);
    while (scan->next < scan->argc) {
        char *word = scan->argv[scan->next++];
        if (word[0] != '-' || !word[1]) {
            /* Operands move to the front of argv; what they overwrite has been read. */
            scan->argv[++scan->operand_count] = word;
        } else if (word[1] != '-') {
            scan->bundle = word + 1;
            return take_letter(scan);
        } else if (word[2]) {
            return take_long(scan, word + 2);
        } else {
            while (scan->next < scan->argc) scan->argv[++scan->operand_count] = scan->argv[scan->next++];
        }
    }
    return 0;
}
