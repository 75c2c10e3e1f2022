/* File names for messages and terminals, quoted so that a shell would read them back. */
#ifndef QUOTE_NAME_H
#define QUOTE_NAME_H
#include <stdbool.h>

/* The name in quotes, whatever it holds. The result stays valid for the next few calls only. */
const char *quoted(const char *name);
/* The name as it is when a shell would take it so, else quoted: a string to free. */
char *quote_if_needed(const char *name);
/* The name in double quotes with C escapes (`ls -Q`), or without the quotes (`ls -b`): a string to free. */
char *quote_as_c(const char *name, bool with_quotes);
#endif
