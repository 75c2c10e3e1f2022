/* The options of a command line, GNU style: bundled letters, long names and their abbreviations, operands anywhere. */
#ifndef OPTION_SCAN_H
#define OPTION_SCAN_H
#include <stdbool.h>

enum option_argument { NO_ARGUMENT, REQUIRED_ARGUMENT, OPTIONAL_ARGUMENT };

struct option_spec {
    int id;           /* what option_next returns: the letter, or 256 and up for an option that has none */
    const char *name; /* long name without dashes, or NULL */
    enum option_argument argument;
};

struct option_scan {
    int argc;
    char **argv;
    const struct option_spec *specs; /* ends with an id of 0 */
    int usage_status;                /* exit status of a wrong command line */
    const char *dash_hint;           /* "remove": what "./-x" would do to a file that looks like an option, or NULL */
    char *argument;                  /* of the option just returned, or NULL */
    /* private */
    int next, operand_count;
    char *bundle;
    bool started;
};

/* The next option's id, or 0 when only operands are left: argv[1..operand_count]. Ends the program on an error. */
int option_next(struct option_scan *scan);
/* Prints the message and "Try 'NAME --help' for more information.", and exits with the scan's usage status. */
_Noreturn void option_error(const struct option_scan *scan, const char *format, ...);
#endif
