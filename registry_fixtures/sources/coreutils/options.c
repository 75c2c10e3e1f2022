/* Reading options: see options.h. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"

enum { HELP_CODE = -2, VERSION_CODE = -3 };

static const struct long_option everywhere[] = {
    {"help", HELP_CODE, NO_ARGUMENT},
    {"version", VERSION_CODE, NO_ARGUMENT},
};

void options_start(struct options *options, int argc, char **argv, const char *letters, const struct long_option *longs)
{
    *options = (struct options){.argc = argc, .argv = argv, .letters = letters, .longs = longs, .index = 1};
    if (*letters == '+') {
        options->in_order = true;
        options->letters++;
    }
    options->operands = calloc((size_t)argc + 1, sizeof(char *));
    if (options->operands == NULL)
        applet_die(usage_status(), "memory exhausted");
}

static const char *next_argument(struct options *options)
{
    return options->index < options->argc ? options->argv[options->index++] : NULL;
}

static int next_letter(struct options *options)
{
    char letter = *options->rest++;
    const char *known = letter == ':' ? NULL : strchr(options->letters, letter);
    if (known == NULL) {
        applet_warnx("invalid option -- '%c'", letter);
        applet_try_help();
    }
    options->long_name = NULL;
    options->argument = NULL;
    bool optional = known[1] == ':' && known[2] == ':';
    if (known[1] == ':') {
        if (*options->rest != '\0')
            options->argument = options->rest;
        else if (!optional)
            options->argument = next_argument(options);
        options->rest = NULL;
        if (options->argument == NULL && !optional) {
            applet_warnx("option requires an argument -- '%c'", letter);
            applet_try_help();
        }
    }
    if (options->rest != NULL && *options->rest == '\0')
        options->rest = NULL;
    return (unsigned char)letter;
}

static const struct long_option *nth_long(const struct options *options, size_t n)
{
    size_t own = 0;
    while (options->longs != NULL && options->longs[own].name != NULL)
        own++;
    return n < own ? &options->longs[n] : n < own + 2 ? &everywhere[n - own] : NULL;
}

static int next_long(struct options *options, const char *text)
{
    size_t length = strcspn(text, "=");
    const struct long_option *found = NULL, *candidate;
    bool exact = false, ambiguous = false;
    for (size_t i = 0; (candidate = nth_long(options, i)) != NULL && !exact; i++) {
        if (strncmp(candidate->name, text, length) != 0)
            continue;
        exact = strlen(candidate->name) == length;
        ambiguous |= !exact && found != NULL && found->code != candidate->code;
        if (exact || found == NULL)
            found = candidate;
    }
    if (found == NULL) {
        applet_warnx("unrecognized option '--%s'", text);
        applet_try_help();
    }
    if (ambiguous && !exact) {
        fprintf(stderr, "%s: option '--%.*s' is ambiguous; possibilities:", applet_name, (int)length, text);
        for (size_t i = 0; (candidate = nth_long(options, i)) != NULL; i++)
            if (strncmp(candidate->name, text, length) == 0)
                fprintf(stderr, " '--%s'", candidate->name);
        fputc('\n', stderr);
        applet_try_help();
    }
    options->long_name = found->name;
    options->argument = text[length] == '=' ? text + length + 1 : NULL;
    if (found->argument == NO_ARGUMENT && options->argument != NULL) {
        applet_warnx("option '--%s' doesn't allow an argument", found->name);
        applet_try_help();
    }
    if (found->argument == NEEDS_ARGUMENT && options->argument == NULL) {
        options->argument = next_argument(options);
        if (options->argument == NULL) {
            applet_warnx("option '--%s' requires an argument", found->name);
            applet_try_help();
        }
    }
    if (found->code == HELP_CODE)
        applet_print_help();
    if (found->code == VERSION_CODE)
        applet_print_version();
    return found->code;
}

int options_next(struct options *options)
{
    if (options->rest != NULL)
        return next_letter(options);
    while (options->index < options->argc) {
        char *word = options->argv[options->index];
        if (word[0] == '-' && word[1] != '\0') {
            options->index++;
            if (word[1] != '-') {
                options->rest = word + 1;
                return next_letter(options);
            }
            if (word[2] != '\0')
                return next_long(options, word + 2);
            break;
        }
        if (options->in_order)
            break;
        options->operands[options->operand_count++] = word;
        options->index++;
    }
    while (options->index < options->argc)
        options->operands[options->operand_count++] = options->argv[options->index++];
    return -1;
}

int options_choice(const char *option, const char *text, const char *const *words)
{
    int found = -1;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
        if (strncmp(words[i], text, strlen(text)) == 0)
            found = found == -1 ? i : -2;
    }
    if (found >= 0 && *text != '\0')
        return found;
    applet_warnx("%s argument %s for '--%s'", found == -2 ? "ambiguous" : "invalid", quote_word(text), option);
    fputs("Valid arguments are:\n", stderr);
    for (int i = 0; words[i] != NULL; i++)
        fprintf(stderr, "  - '%s'\n", words[i]);
    fprintf(stderr, "Try '%s --help' for more information.\n", applet_name);
    exit(1);
}
