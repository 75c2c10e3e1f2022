/* Backslash escapes, as echo and printf have them. */
#ifndef ESCAPES_H
#define ESCAPES_H

#include <stdbool.h>

#include "memory.h"

/* Add a text with the escapes of echo and %b (`\0nnn`); false when `\c` ends all output. */
bool add_escaped(struct text *to, const char *text);
/* One escape of a printf format, whose backslash is at `at`; returns behind it. */
const char *add_format_escape(struct text *to, const char *at);

#endif
