/* seq: numbers from first to last. */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "options.h"

const char seq_help[] =
    "Usage: seq [OPTION]... LAST\n"
    "  or:  seq [OPTION]... FIRST LAST\n"
    "  or:  seq [OPTION]... FIRST INCREMENT LAST\n"
    "Print numbers from FIRST to LAST, in steps of INCREMENT.\n\n"
    "  -f, --format=FORMAT      use printf style floating-point FORMAT\n"
    "  -s, --separator=STRING   use STRING to separate numbers (default: \\n)\n"
    "  -w, --equal-width        equalize width by padding with leading zeroes\n";

struct number {
    long double value;
    int width;    /* characters as typed, without a superfluous sign or zero */
    int decimals; /* digits behind the point; -1 when only %Lg can say */
};

static struct number read_number(const char *text)
{
    char *end;
    struct number number = {.value = strtold(text, &end)};
    if (end == text || *end != '\0' || isnan(number.value)) {
        if (*text != '\0' && end != text && *end == '\0')
            applet_warnx("invalid 'not-a-number' argument: %s", quote_word(text));
        else
            applet_warnx("invalid floating point argument: %s", quote_word(text));
        applet_try_help();
    }
    while (isspace((unsigned char)*text) || *text == '+')
        text++;
    if (strpbrk(text, "xXpPiInN") != NULL) {
        number.decimals = -1;
        return number;
    }
    const char *exponent = strpbrk(text, "eE"), *point = strchr(text, '.');
    size_t mantissa = exponent != NULL ? (size_t)(exponent - text) : strlen(text);
    long power = exponent != NULL ? strtol(exponent + 1, NULL, 10) : 0;
    int behind = point != NULL ? (int)(text + mantissa - point - 1) : 0;
    number.width = (int)mantissa;
    if (point != NULL && behind == 0)
        number.width--;
    if (point == text || (point == text + 1 && *text == '-'))
        number.width++; /* .5 is printed as 0.5 */
    if (power > 0) {
        int moved = power < behind ? (int)power : behind;
        if (power > 5000)
            power = 5000;
        number.width += (int)power - moved - (behind > 0 && moved == behind ? 1 : 0);
        behind -= moved;
    } else if (power < 0) {
        if (power < -5000)
            power = -5000;
        int whole = point != NULL ? (int)(point - text) : (int)mantissa;
        whole -= *text == '-';
        if (behind == 0)
            number.width++;
        int extra = (int)-power - whole + 1; /* zeroes that appear in front */
        if (extra > 0)
            number.width += extra;
        behind += (int)-power;
    }
    number.decimals = behind;
    return number;
}

/* Checks that the format has just one directive, for a floating number, and puts the L in. */
static char *long_double_format(const char *format)
{
    size_t directive = 0;
    bool found = false;
    for (size_t i = 0; format[i] != '\0'; i++) {
        if (format[i] != '%')
            continue;
        if (format[i + 1] == '%') {
            i++;
            continue;
        }
        if (found)
            applet_diex(1, "format %s has too many %% directives", quote_word(format));
        found = true;
        i++;
        i += strspn(format + i, "-+#0 '");
        i += strspn(format + i, "0123456789");
        if (format[i] == '.') {
            i++;
            i += strspn(format + i, "0123456789");
        }
        directive = i;
        if (format[i] == 'L')
            i++;
        if (format[i] == '\0')
            applet_diex(1, "format %s ends in %%", quote_word(format));
        if (strchr("aAeEfFgG", format[i]) == NULL)
            applet_diex(1, "format %s has unknown %%%c directive", quote_word(format), format[i]);
    }
    if (!found)
        applet_diex(1, "format %s has no %% directive", quote_word(format));
    size_t length = strlen(format);
    char *out = malloc(length + 2);
    if (out == NULL)
        applet_diex(1, "memory exhausted");
    memcpy(out, format, directive);
    out[directive] = 'L';
    strcpy(out + directive + 1, format + directive + (format[directive] == 'L'));
    return out;
}

/* Whole numbers are counted exactly and printed quickly. */
static void print_integers(long long first, long long step, long long last, const char *separator, int width)
{
    bool started = false;
    for (long long value = first; step > 0 ? value <= last : value >= last;) {
        char digits[64], *p = digits + sizeof digits;
        unsigned long long left = value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;
        do
            *--p = (char)('0' + left % 10);
        while ((left /= 10) > 0);
        int zeroes = width - (int)(digits + sizeof digits - p) - (value < 0);
        if (started)
            fputs(separator, stdout);
        if (value < 0)
            putchar('-');
        for (; zeroes > 0; zeroes--)
            putchar('0');
        fwrite(p, 1, (size_t)(digits + sizeof digits - p), stdout);
        started = true;
        if (ferror(stdout) || __builtin_add_overflow(value, step, &value))
            break;
    }
    if (started)
        putchar('\n');
}

static bool is_whole(const struct number *number)
{
    return number->decimals == 0 && fabsl(number->value) < 4e18L;
}

int seq_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"format", 'f', NEEDS_ARGUMENT}, {"separator", 's', NEEDS_ARGUMENT}, {"equal-width", 'w', NO_ARGUMENT}, {0}};
    const char *format = NULL, *separator = "\n";
    bool equal = false;
    struct options options;
    options_start(&options, argc, argv, "+f:s:w", longs);
    for (int code;;) {
        /* A negative number is an operand, not a bundle of options. */
        const char *next = options.rest == NULL && options.index < argc ? argv[options.index] : NULL;
        if (next != NULL && next[0] == '-' && (isdigit((unsigned char)next[1]) || next[1] == '.')) {
            while (options.index < argc)
                options.operands[options.operand_count++] = argv[options.index++];
            break;
        }
        if ((code = options_next(&options)) == -1)
            break;
        if (code == 'f')
            format = options.argument;
        if (code == 's')
            separator = options.argument;
        equal |= code == 'w';
    }
    int count = options.operand_count;
    if (count == 0) {
        applet_warnx("missing operand");
        applet_try_help();
    }
    if (count > 3) {
        applet_warnx("extra operand %s", quote_word(options.operands[3]));
        applet_try_help();
    }
    char *long_format = format != NULL ? long_double_format(format) : NULL;
    if (format != NULL && equal) {
        applet_warnx("format string may not be specified when printing equal width strings");
        applet_try_help();
    }
    struct number first = {1, 1, 0}, step = {1, 1, 0}, last;
    if (count > 1)
        first = read_number(options.operands[0]);
    if (count > 2) {
        step = read_number(options.operands[1]);
        if (step.value == 0) {
            applet_warnx("invalid Zero increment value: %s", quote_word(options.operands[1]));
            applet_try_help();
        }
    }
    last = read_number(options.operands[count - 1]);
    int decimals = first.decimals > step.decimals ? first.decimals : step.decimals;
    bool fixed = first.decimals >= 0 && step.decimals >= 0 && last.decimals >= 0;
    int width = 0;
    if (equal && fixed) {
        int first_width = first.width + (decimals - first.decimals);
        int last_width = last.width + (decimals - last.decimals);
        if (last.decimals > 0 && decimals == 0)
            last_width--;
        if (last.decimals == 0 && decimals > 0)
            last_width++;
        if (first.decimals == 0 && decimals > 0)
            first_width++;
        width = first_width > last_width ? first_width : last_width;
    }
    if (format == NULL && is_whole(&first) && is_whole(&step) && fixed && fabsl(last.value) < 4e18L) {
        long double end = step.value > 0 ? floorl(last.value) : ceill(last.value);
        print_integers((long long)first.value, (long long)step.value, (long long)end, separator, width);
        return 0;
    }
    if (format == NULL && first.decimals == 0 && step.decimals == 0 && isinf(last.value) && is_whole(&first) && is_whole(&step)) {
        print_integers((long long)first.value, (long long)step.value, last.value > 0 ? 0x7fffffffffffffff : -0x7fffffffffffffff - 1,
                       separator, 0);
        return 0;
    }
    char made[32];
    if (long_format == NULL) {
        if (!fixed && !(first.decimals >= 0 && step.decimals >= 0))
            snprintf(made, sizeof made, "%%Lg");
        else if (equal && width > 0)
            snprintf(made, sizeof made, "%%0%d.%dLf", width, decimals);
        else
            snprintf(made, sizeof made, "%%.%dLf", decimals);
        long_format = made;
    }
    bool started = false;
    for (long double i = 0;; i++) {
        long double value = first.value + i * step.value;
        if (step.value > 0 ? value > last.value : value < last.value) {
            /* A step that only rounding carried past the end is taken, when it reads as the end does. */
            char shown[512];
            int length = snprintf(shown, sizeof shown, long_format, value);
            const char *digits = shown + strcspn(shown, "-0123456789");
            if (length >= (int)sizeof shown || !started || strtold(digits, NULL) != last.value)
                break;
            char before[512];
            snprintf(before, sizeof before, long_format, value - step.value);
            if (strcmp(before, shown) == 0)
                break;
        }
        if (started)
            fputs(separator, stdout);
        printf(long_format, value);
        started = true;
        if (ferror(stdout))
            break;
    }
    if (started)
        putchar('\n');
    return 0;
}
