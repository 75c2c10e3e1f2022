/* sleep: pause for a time. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "allocate.h"
#include "option_scan.h"
#include "quote_name.h"

/* Seconds in the text, with its suffix s, m, h or d; negative when it is no such thing. */
static double seconds_in(const char *text) {
    char *end;
    errno = 0;
    double seconds = strtod(text, &end);
    if (end == text || isnan(seconds) || signbit(seconds)) return -1;
    switch (*end) {
        case 'd': seconds *= 24; /* fall through */
        case 'h': seconds *= 60; /* fall through */
        case 'm': seconds *= 60; /* fall through */
        case 's': end++;
    }
    return *end ? -1 : seconds;
}

const char sleep_help[] =
    "Usage: sleep NUMBER[SUFFIX]...\n"
    "\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int sleep_main(int argc, char **argv) {
    static const struct option_spec specs[] = {{0}};
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    while (option_next(&scan)) continue;
    if (!scan.operand_count) option_error(&scan, "missing operand");
    double total = 0;
    bool valid = true;
    for (int i = 1; i <= scan.operand_count; i++) {
        double seconds = seconds_in(argv[i]);
        if (seconds < 0) applet_warnx("invalid time interval %s", quoted(argv[i])), valid = false;
        else total += seconds;
    }
    if (!valid) {
        fprintf(stderr, "Try '%s --help' for more information.\n", applet_name);
        return 1;
    }
    /* In steps that every clock's arithmetic can hold; "infinity" never ends. */
    while (total > 0) {
        double step = total < 86400 ? total : 86400;
        struct timespec pause = {(time_t)step, (long)((step - floor(step)) * 1e9)};
        while (nanosleep(&pause, &pause) && errno == EINTR) continue;
        total -= step;
    }
    return 0;
}
