/* date: a moment, printed in any form. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "applet.h"
#include "calendar.h"
#include "options.h"
#include "reader.h"

const char date_help[] =
    "Usage: date [OPTION]... [+FORMAT]\n"
    "Display date and time in the given FORMAT.\n\n"
    "  -d, --date=STRING         display time described by STRING, not 'now'\n"
    "  -f, --file=DATEFILE       like --date; once for each line of DATEFILE\n"
    "  -I[FMT], --iso-8601[=FMT]  ISO 8601 format: date (default), hours, minutes, seconds or ns\n"
    "  -R, --rfc-email           RFC 5322 format\n"
    "      --rfc-3339=FMT        RFC 3339 format: date, seconds or ns\n"
    "  -r, --reference=FILE      display the last modification time of FILE\n"
    "  -u, --utc, --universal    print Coordinated Universal Time\n\n"
    "FORMAT: %% %a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %k %l %m %M %n %N %p %P %q %r %R %s %S\n"
    "%t %T %u %U %V %w %W %x %X %y %Y %z %:z %::z %:::z %Z; flags - _ 0 + ^ # and a width may follow the %.\n";

static bool utc;

struct directive {
    char padding; /* '-', '_', '0', '+', or 0 for the usual one */
    bool upper, opposite;
    int width;
};

static void print_format(const char *format, struct moment moment);

/* What is printed is gathered first, for a width may stand before a directive that is made of others. */
static char *output;
static size_t output_length, output_room;

static void put(int c)
{
    if (output_length == output_room)
        output = reallocate(output, output_room = output_room * 2 + 64);
    output[output_length++] = (char)c;
}

static void put_text(const char *text)
{
    while (*text != '\0')
        put(*text++);
}

static void print_text(const struct directive *directive, const char *text, bool lowers)
{
    int length = (int)strlen(text);
    for (int i = length; i < directive->width && directive->padding != '-'; i++)
        put(directive->padding == '0' || directive->padding == '+' ? '0' : ' ');
    for (; *text != '\0'; text++)
        put(directive->opposite && lowers                       ? tolower((unsigned char)*text)
            : directive->upper || directive->opposite ? toupper((unsigned char)*text)
                                                      : *text);
}

static void print_number(const struct directive *directive, int64_t value, int width, char padding)
{
    char text[32];
    if (directive->padding != 0)
        padding = directive->padding;
    if (directive->width >= 0)
        width = directive->width;
    snprintf(text, sizeof text, "%lld", (long long)(value < 0 ? -value : value));
    int missing = padding == '-' ? 0 : width - (int)strlen(text) - (value < 0);
    if (padding == '_')
        for (; missing > 0; missing--)
            put(' ');
    if (value < 0)
        put('-');
    for (; missing > 0; missing--)
        put('0');
    put_text(text);
}

/* A directive that stands for several, such as %F. */
static void print_whole(const struct directive *directive, const char *format, struct moment moment)
{
    size_t start = output_length;
    print_format(format, moment);
    put('\0');
    char *text = strdup(output + start);
    output_length = start;
    if (text == NULL)
        applet_diex(1, "memory exhausted");
    print_text(directive, text, false);
    free(text);
}

/* The year and the week of ISO 8601: weeks begin on Monday and belong to the year of their Thursday. */
static int iso_week(const struct civil *civil, int64_t *year)
{
    int64_t day = days_from_civil(civil->year, civil->month, civil->day);
    int64_t thursday = day - (civil->weekday + 6) % 7 + 3;
    struct civil at = civil_at(thursday * 86400, true);
    *year = at.year;
    return at.yearday / 7 + 1;
}

static void print_zone(const struct directive *directive, int32_t offset, int colons)
{
    char text[16];
    int32_t size = offset < 0 ? -offset : offset;
    int hours = size / 3600, minutes = size / 60 % 60, seconds = size % 60;
    char sign = offset < 0 ? '-' : '+';
    if (colons == 3)
        colons = seconds != 0 ? 2 : minutes != 0 ? 1 : 4;
    if (colons == 0)
        snprintf(text, sizeof text, "%c%02d%02d", sign, hours, minutes);
    else if (colons == 4)
        snprintf(text, sizeof text, "%c%02d", sign, hours);
    else if (colons == 1)
        snprintf(text, sizeof text, "%c%02d:%02d", sign, hours, minutes);
    else
        snprintf(text, sizeof text, "%c%02d:%02d:%02d", sign, hours, minutes, seconds);
    struct directive plain = *directive;
    if (colons == 0 && (plain.padding == '-' || plain.padding == '_')) { /* as a number, behind its sign */
        snprintf(text, sizeof text, "%c%d", sign, hours * 100 + minutes);
        plain.width = plain.width < 0 ? 5 : plain.width;
        print_text(&plain, text, false);
        return;
    }
    if (plain.padding == 0 && plain.width > (int)strlen(text)) { /* zeroes go behind the sign */
        put(sign);
        for (int i = (int)strlen(text); i < plain.width; i++)
            put('0');
        put_text(text + 1);
        return;
    }
    print_text(&plain, text, false);
}

static void print_nanoseconds(const struct directive *directive, int32_t nanoseconds)
{
    char digits[10];
    snprintf(digits, sizeof digits, "%09d", (int)nanoseconds);
    int width = directive->width < 0 ? 9 : directive->width;
    if (directive->padding == '_' || (directive->padding == '-' && directive->width >= 0)) {
        int length = 9;
        while (length > 1 && digits[length - 1] == '0')
            length--;
        if (width < length)
            length = width > 0 ? width : length;
        digits[length] = '\0';
        put_text(digits);
        for (; directive->padding == '_' && length < width; length++)
            put(' ');
        return;
    }
    digits[width < 9 ? width : 9] = '\0';
    put_text(digits);
    for (; width > 9; width--)
        put('0');
}

static bool print_one(char letter, const struct directive *directive, int colons, const struct civil *civil, struct moment moment)
{
    struct directive text = *directive;
    char shorter[4] = "";
    int64_t year;
    switch (letter) {
    case '%': print_text(&text, "%", false); break;
    case 'n': print_text(&text, "\n", false); break;
    case 't': print_text(&text, "\t", false); break;
    case 'a':
        memcpy(shorter, day_names[civil->weekday], 3);
        print_text(&text, shorter, false);
        break;
    case 'A': print_text(&text, day_names[civil->weekday], false); break;
    case 'b': case 'h':
        memcpy(shorter, month_names[civil->month - 1], 3);
        print_text(&text, shorter, false);
        break;
    case 'B': print_text(&text, month_names[civil->month - 1], false); break;
    case 'c': print_whole(&text, "%a %b %e %H:%M:%S %Y", moment); break;
    case 'C': print_number(&text, civil->year / 100, 2, '0'); break;
    case 'd': print_number(&text, civil->day, 2, '0'); break;
    case 'D': case 'x': print_whole(&text, "%m/%d/%y", moment); break;
    case 'e': print_number(&text, civil->day, 2, '_'); break;
    case 'F':
        if (text.padding == '+' && civil->year > 9999)
            put('+');
        print_whole(&text, "%Y-%m-%d", moment);
        break;
    case 'g': iso_week(civil, &year); print_number(&text, (year % 100 + 100) % 100, 2, '0'); break;
    case 'G': iso_week(civil, &year); print_number(&text, year, 4, '0'); break;
    case 'H': print_number(&text, civil->hour, 2, '0'); break;
    case 'I': print_number(&text, (civil->hour + 11) % 12 + 1, 2, '0'); break;
    case 'j': print_number(&text, civil->yearday + 1, 3, '0'); break;
    case 'k': print_number(&text, civil->hour, 2, '_'); break;
    case 'l': print_number(&text, (civil->hour + 11) % 12 + 1, 2, '_'); break;
    case 'm': print_number(&text, civil->month, 2, '0'); break;
    case 'M': print_number(&text, civil->minute, 2, '0'); break;
    case 'N': print_nanoseconds(&text, moment.nanoseconds); break;
    case 'p': print_text(&text, civil->hour < 12 ? "AM" : "PM", true); break;
    case 'P':
        text.upper = text.opposite = false;
        print_text(&text, civil->hour < 12 ? "am" : "pm", false);
        break;
    case 'q': print_number(&text, (civil->month + 2) / 3, 1, '0'); break;
    case 'r': print_whole(&text, "%I:%M:%S %p", moment); break;
    case 'R': print_whole(&text, "%H:%M", moment); break;
    case 's': print_number(&text, moment.seconds, 1, '0'); break;
    case 'S': print_number(&text, civil->second, 2, '0'); break;
    case 'T': case 'X': print_whole(&text, "%H:%M:%S", moment); break;
    case 'u': print_number(&text, (civil->weekday + 6) % 7 + 1, 1, '0'); break;
    case 'U': print_number(&text, (civil->yearday - civil->weekday + 7) / 7, 2, '0'); break;
    case 'V': print_number(&text, iso_week(civil, &year), 2, '0'); break;
    case 'w': print_number(&text, civil->weekday, 1, '0'); break;
    case 'W': print_number(&text, (civil->yearday - (civil->weekday + 6) % 7 + 7) / 7, 2, '0'); break;
    case 'y': print_number(&text, (civil->year % 100 + 100) % 100, 2, '0'); break;
    case 'Y': print_number(&text, civil->year, text.padding == '+' ? 4 : civil->year < 0 ? 5 : 4, '0'); break;
    case 'z': print_zone(&text, civil->offset, colons); break;
    case 'Z': print_text(&text, civil->zone, true); break;
    default: return false;
    }
    return colons == 0 || letter == 'z';
}

static void print_format(const char *format, struct moment moment)
{
    struct civil civil = civil_at(moment.seconds, utc);
    for (const char *p = format; *p != '\0'; p++) {
        if (*p != '%') {
            put(*p);
            continue;
        }
        const char *start = p++;
        struct directive directive = {.width = -1};
        int colons = 0;
        for (; *p != '\0' && strchr("-_0+^#", *p) != NULL; p++) {
            if (*p == '^')
                directive.upper = true;
            else if (*p == '#')
                directive.opposite = true;
            else
                directive.padding = *p;
        }
        if (isdigit((unsigned char)*p))
            for (directive.width = 0; isdigit((unsigned char)*p); p++)
                directive.width = directive.width < 10000 ? directive.width * 10 + (*p - '0') : directive.width;
        if ((*p == 'E' || *p == 'O') && p[1] != '\0')
            p++;
        for (; *p == ':'; p++)
            colons++;
        if (*p == '\0' || (colons > 0 && *p != 'z') || colons > 3 || !print_one(*p, &directive, colons, &civil, moment)) {
            for (const char *q = start; q < p + (*p != '\0'); q++)
                put(*q);
            if (*p == '\0')
                return;
        }
    }
}

static void print_line(const char *format, struct moment moment)
{
    output_length = 0;
    print_format(format, moment);
    put('\n');
    fwrite(output, 1, output_length, stdout);
}

static const char *iso_format(const char *option, const char *text, bool rfc)
{
    static const char *const iso_words[] = {"hours", "minutes", "date", "seconds", "ns", NULL};
    static const char *const iso_formats[] = {"%Y-%m-%dT%H%:z", "%Y-%m-%dT%H:%M%:z", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%:z",
                                              "%Y-%m-%dT%H:%M:%S,%N%:z"};
    static const char *const rfc_words[] = {"date", "seconds", "ns", NULL};
    static const char *const rfc_formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M:%S%:z", "%Y-%m-%d %H:%M:%S.%N%:z"};
    int choice = options_choice(option, text, rfc ? rfc_words : iso_words);
    return rfc ? rfc_formats[choice] : iso_formats[choice];
}

static void set_format(const char **format, const char *wanted)
{
    if (*format != NULL)
        applet_diex(1, "multiple output formats specified");
    *format = wanted;
}

int date_main(int argc, char **argv)
{
    enum { RFC_3339 = 1 };
    static const struct long_option longs[] = {
        {"date", 'd', NEEDS_ARGUMENT}, {"file", 'f', NEEDS_ARGUMENT}, {"iso-8601", 'I', MAY_HAVE_ARGUMENT},
        {"rfc-email", 'R', NO_ARGUMENT}, {"rfc-822", 'R', NO_ARGUMENT}, {"rfc-2822", 'R', NO_ARGUMENT},
        {"rfc-3339", RFC_3339, NEEDS_ARGUMENT}, {"reference", 'r', NEEDS_ARGUMENT}, {"set", 's', NEEDS_ARGUMENT},
        {"utc", 'u', NO_ARGUMENT}, {"universal", 'u', NO_ARGUMENT}, {"uct", 'u', NO_ARGUMENT}, {0}};
    const char *described = NULL, *reference = NULL, *list = NULL, *format = NULL;
    bool setting = false;
    struct options options;
    options_start(&options, argc, argv, "d:f:I::Rr:s:u", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        switch (code) {
        case 'd': described = options.argument; break;
        case 'f': list = options.argument; break;
        case 'I': set_format(&format, iso_format("iso-8601", options.argument ? options.argument : "date", false)); break;
        case RFC_3339: set_format(&format, iso_format("rfc-3339", options.argument, true)); break;
        case 'R': set_format(&format, "%a, %d %b %Y %H:%M:%S %z"); break;
        case 'r': reference = options.argument; break;
        case 's': setting = true; break;
        case 'u': utc = true; break;
        }
    }
    if ((described != NULL) + (list != NULL) + (reference != NULL) > 1) {
        applet_warnx("the options to specify dates for printing are mutually exclusive");
        applet_try_help();
    }
    if (options.operand_count > 1)  {
        applet_warnx("extra operand %s", quote_word(options.operands[1]));
        applet_try_help();
    }
    if (options.operand_count == 1) {
        const char *operand = options.operands[0];
        if (*operand == '+')
            set_format(&format, operand + 1);
        else if (described != NULL || list != NULL || reference != NULL) {
            applet_warnx("the argument %s lacks a leading '+';\nwhen using an option to specify date(s), any non-option\n"
                         "argument must be a format string beginning with '+'", quote_word(operand));
            applet_try_help();
        } else if (strspn(operand, "0123456789.") == strlen(operand) && strlen(operand) >= 8)
            setting = true;
        else
            applet_diex(1, "invalid date %s", quote_word(operand));
    }
    if (setting) {
        errno = EPERM;
        applet_die(1, "cannot set date");
    }
    if (format == NULL)
        format = "%a %b %e %H:%M:%S %Z %Y";
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    struct moment now = {clock.tv_sec, (int32_t)clock.tv_nsec}, moment = now;
    int status = 0;
    if (list != NULL) {
        struct reader reader;
        char *line;
        size_t length;
        if (!reader_open(&reader, list))
            applet_die(1, "%s", quote_name_if_needed(list));
        while (reader_line(&reader, '\n', &line, &length)) {
            char *text = strndup(line, length - (line[length - 1] == '\n'));
            if (text != NULL && read_moment(text, now, utc, &moment)) {
                print_line(format, moment);
            } else {
                applet_warnx("invalid date %s", quote_word(text));
                status = 1;
            }
            free(text);
        }
        return status;
    }
    if (reference != NULL) {
        struct stat file;
        if (stat(reference, &file) != 0)
            applet_die(1, "%s", quote_name_if_needed(reference));
        moment = (struct moment){file.st_mtim.tv_sec, (int32_t)file.st_mtim.tv_nsec};
    } else if (described != NULL && !read_moment(described, now, utc, &moment)) {
        applet_diex(1, "invalid date %s", quote_word(described));
    }
    print_line(format, moment);
    return status;
}
