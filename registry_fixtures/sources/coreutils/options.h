#ifndef OPTIONS_H
#define OPTIONS_H
/* The command line as GNU programs read it: bundled letters, long names and their abbreviations, operands anywhere. */
#include <stdbool.h>

enum option_argument { NO_ARGUMENT, NEEDS_ARGUMENT, MAY_HAVE_ARGUMENT };

struct long_option {
    const char *name; /* without the two dashes; the last of a table is null */
    int code;         /* what options_next returns */
    enum option_argument argument;
};

struct options {
    int argc;
    char **argv;
    const char *letters; /* as for getopt; a leading '+' ends the options at the first operand */
    const struct long_option *longs;
    bool in_order;
    int index;
    const char *rest; /* the letters of a bundle that are still to come */
    const char *argument;
    const char *long_name; /* the long name that gave the last code, or null */
    char **operands;       /* ends with a null */
    int operand_count;
};

void options_start(struct options *options, int argc, char **argv, const char *letters, const struct long_option *longs);
/* The code of the next option, or -1 at the end. A wrong option ends the program with the usual two lines;
   --help and --version answer and end it. */
int options_next(struct options *options);
/* Picks the one of the words (null at the end) that the text abbreviates, or ends the program saying what is valid. */
int options_choice(const char *option, const char *text, const char *const *words);

_Noreturn void applet_try_help(void);
_Noreturn void applet_print_help(void);
_Noreturn void applet_print_version(void);
int usage_status(void);
/* A word of the command line between quotes, with C escapes; valid for the next few calls, as are the other two. */
const char *quote_word(const char *word);
/* A name between quotes as a shell would need them; the second only where a shell would need them. */
const char *quote_name(const char *name);
const char *quote_name_if_needed(const char *name);
#endif
