/* hello: greets. One source for every version of the package; HELLO_LEVEL says how much of it a version has. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HELLO_LEVEL
#define HELLO_LEVEL 2 /* 0: one name; 1: many names and a greeting; 2: shouting, times, and names from standard input */
#endif
#ifndef HELLO_VERSION
#define HELLO_VERSION "2.0.0"
#endif

static const char *greeting = "Hello";
static bool shout;

_Noreturn static void usage(int status)
{
    FILE *stream = status == 0 ? stdout : stderr;
    fputs(HELLO_LEVEL == 0   ? "Usage: hello [NAME]\n"
          : HELLO_LEVEL == 1 ? "Usage: hello [-g GREETING] [NAME]...\n"
                             : "Usage: hello [-g GREETING] [-n TIMES] [--shout] [NAME]...\n"
                               "The name - stands for the names that standard input holds, one on each line.\n",
          stream);
    exit(fflush(stream) == 0 ? status : 1);
}

static void say(const char *text)
{
    for (; *text != '\0'; text++)
        putchar(shout ? toupper((unsigned char)*text) : *text);
}

static void greet(const char *name)
{
    say(greeting);
    fputs(", ", stdout);
    say(name);
    puts(shout ? "!!!" : "!");
}

static void greet_listed(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0')
            greet(line);
    }
}

int main(int argc, char **argv)
{
    long times = 1;
    int first = 1;
    for (; first < argc && argv[first][0] == '-' && argv[first][1] != '\0'; first++) {
        const char *option = argv[first], *value = first + 1 < argc ? argv[first + 1] : NULL;
        if (strcmp(option, "--") == 0) {
            first++;
            break;
        }
        if (strcmp(option, "--help") == 0)
            usage(0);
        if (strcmp(option, "--version") == 0) {
            puts("hello " HELLO_VERSION);
            return fflush(stdout) != 0;
        }
        if (HELLO_LEVEL >= 1 && (strcmp(option, "-g") == 0 || strcmp(option, "--greeting") == 0) && value != NULL) {
            greeting = value;
            first++;
        } else if (HELLO_LEVEL >= 2 && (strcmp(option, "-n") == 0 || strcmp(option, "--times") == 0) && value != NULL) {
            char *end;
            times = strtol(value, &end, 10);
            if (end == value || *end != '\0' || times < 0) {
                fprintf(stderr, "hello: not a number of times: '%s'\n", value);
                return 2;
            }
            first++;
        } else if (HELLO_LEVEL >= 2 && strcmp(option, "--shout") == 0) {
            shout = true;
        } else {
            fprintf(stderr, "hello: unknown option or missing value: '%s'\n", option);
            usage(2);
        }
    }
    if (HELLO_LEVEL == 0 && argc - first > 1)
        usage(2);
    while (times-- > 0) {
        if (first == argc)
            greet("World");
        for (int i = first; i < argc; i++) {
            if (HELLO_LEVEL >= 2 && strcmp(argv[i], "-") == 0)
                greet_listed();
            else
                greet(argv[i]);
        }
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("hello: write error");
        return 1;
    }
    return 0;
}
