/* A question on standard error, a yes or no from standard input. */
#include "confirm.h"

#include <stdarg.h>
#include <stdio.h>

#include "applet.h"

bool confirm(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", applet_name);
    vfprintf(stderr, format, values);
    va_end(values);
    fflush(stderr);
    int first = getchar();
    for (int next = first; next != '\n' && next != EOF;) next = getchar();
    return first == 'y' || first == 'Y';
}
