/* What an applet says on stderr, in the form in which the GNU tools say it, and the end of its stdout. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "options.h"

const char *applet_name = "coreutils";

static void report(int code, bool with_code, const char *format, va_list arguments)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", applet_name);
    vfprintf(stderr, format, arguments);
    if (with_code)
        fprintf(stderr, ": %s", strerror(code));
    fputc('\n', stderr);
}

void applet_warn(const char *format, ...)
{
    int code = errno;
    va_list arguments;
    va_start(arguments, format);
    report(code, true, format, arguments);
    va_end(arguments);
}

void applet_warnx(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(0, false, format, arguments);
    va_end(arguments);
}

void applet_die(int status, const char *format, ...)
{
    int code = errno;
    va_list arguments;
    va_start(arguments, format);
    report(code, true, format, arguments);
    va_end(arguments);
    exit(status);
}

void applet_diex(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(0, false, format, arguments);
    va_end(arguments);
    exit(status);
}

/* The status of a wrong command line; a few applets need 1 for an answer of their own. */
int usage_status(void)
{
    if (strcmp(applet_name, "env") == 0)
        return 125;
    static const char *const two[] = {"ls", "sort", "grep", "test", "["};
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (strcmp(applet_name, two[i]) == 0)
            return 2;
    return 1;
}

void applet_try_help(void)
{
    if (strcmp(applet_name, "grep") == 0)
        fputs("Usage: grep [OPTION]... PATTERNS [FILE]...\n", stderr);
    fprintf(stderr, "Try '%s --help' for more information.\n", applet_name);
    exit(usage_status());
}

void applet_usage(const char *usage)
{
    applet_warnx("usage: %s", usage);
    applet_try_help();
}

int applet_close_stdout(int status)
{
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fflush(stdout) != 0 || failed) {
        if (errno != 0)
            applet_warn("write error");
        else
            applet_warnx("write error");
        int wrong = usage_status();
        return status > wrong ? status : wrong;
    }
    return status;
}

/* Keeps the quoted names of one message apart: as many as a message ever holds. */
static char *next_slot(size_t size)
{
    static char *slots[4];
    static unsigned turn;
    char **slot = &slots[turn++ % 4];
    free(*slot);
    *slot = malloc(size);
    if (*slot == NULL)
        exit(1);
    return *slot;
}

static char *quote_always(const char *name)
{
    bool control = false, apostrophe = false;
    for (const char *p = name; *p != '\0'; p++) {
        control |= (unsigned char)*p < ' ' || *p == 0x7f;
        apostrophe |= *p == '\'';
    }
    char *out = next_slot(strlen(name) * 11 + 3), *end = out;
    if (!control && apostrophe && strpbrk(name, "\"$`\\!") == NULL) {
        end += sprintf(end, "\"%s\"", name);
        return out;
    }
    *end++ = '\'';
    for (const char *p = name; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\'')
            end += sprintf(end, "'\\''");
        else if (c == '\n' || c == '\t' || c == '\r')
            end += sprintf(end, "'$'\\%c''", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < ' ' || c == 0x7f)
            end += sprintf(end, "'$'\\%03o''", c);
        else
            *end++ = (char)c;
    }
    *end++ = '\'';
    *end = '\0';
    return out;
}

const char *quote_word(const char *word)
{
    static const char letters[] = "abfnrtv\\'", bytes[] = "\a\b\f\n\r\t\v\\'";
    char *out = next_slot(strlen(word) * 4 + 3), *end = out;
    *end++ = '\'';
    for (; *word != '\0'; word++) {
        const char *escape = strchr(bytes, *word);
        if (escape != NULL)
            end += sprintf(end, "\\%c", letters[escape - bytes]);
        else if ((unsigned char)*word < ' ' || *word == 0x7f)
            end += sprintf(end, "\\%03o", (unsigned char)*word);
        else
            *end++ = *word;
    }
    *end++ = '\'';
    *end = '\0';
    return out;
}

const char *quote_name(const char *name)
{
    return quote_always(name);
}

const char *quote_name_if_needed(const char *name)
{
    bool plain = *name != '\0' && *name != '~' && *name != '#';
    for (const char *p = name; *p != '\0' && plain; p++)
        plain = (unsigned char)*p > ' ' && *p != 0x7f && strchr("!\"$&'()*;<=>?[\\^`|", *p) == NULL;
    return plain ? name : quote_always(name);
}
