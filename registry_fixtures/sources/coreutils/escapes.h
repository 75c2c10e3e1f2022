#ifndef ESCAPES_H
#define ESCAPES_H
/* Backslash escapes, as echo, printf and tr write them. */
#include <stdbool.h>

enum { ESCAPE_STOP = -1, ESCAPE_UNKNOWN = -2, ESCAPE_NO_DIGITS = -3 };

/* Reads the escape behind a backslash and moves past it: its byte, or one of the above. `\c` is a stop. With `zero_octal`
   an octal number may have a leading 0 beyond its three digits (echo and %b). */
int read_escape(const char **text, bool zero_octal);
/* Prints text with the escapes of echo -e and printf's %b; false after `\c`. */
bool print_escaped(const char *text);
/* Prints a code point in UTF-8; where characters are bytes, as the escape that it came from. */
void print_utf8(unsigned long point);
#endif
