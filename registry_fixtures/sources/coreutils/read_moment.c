/* What people write for a date, in any order: dates, times, zones, weekdays, and distances from them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "calendar.h"

struct reading {
    const char *text;
    struct civil civil;
    int32_t nanoseconds;
    bool has_date, has_time, has_zone, has_weekday, has_epoch;
    int64_t epoch;
    int weekday, weekday_step;
    int64_t years, months, days, seconds; /* how far from there */
};

static void skip_space(struct reading *reading)
{
    while (isspace((unsigned char)*reading->text) || *reading->text == ',')
        reading->text++;
}

static bool number(const char **text, int64_t *value, int *digits)
{
    *digits = 0;
    *value = 0;
    for (; isdigit((unsigned char)**text) && *digits < 18; (*text)++, ++*digits)
        *value = *value * 10 + (**text - '0');
    return *digits > 0 && !isdigit((unsigned char)**text);
}

static int32_t fraction(const char **text)
{
    int32_t value = 0, unit = 100000000;
    for (; isdigit((unsigned char)**text); (*text)++, unit /= 10)
        value += unit * (**text - '0');
    return value;
}

/* A word of letters, in lower case; its length or 0. */
static size_t take_word(const char **text, char word[16])
{
    size_t length = 0;
    while (isalpha((unsigned char)(*text)[length])) {
        if (length < 15)
            word[length] = (char)tolower((unsigned char)(*text)[length]);
        length++;
    }
    word[length < 15 ? length : 15] = '\0';
    *text += length;
    return length;
}

static int find_name(const char *word, const char *const *names, int count)
{
    size_t length = strlen(word);
    for (int i = 0; i < count; i++)
        if ((length == 3 && strncasecmp(word, names[i], 3) == 0) || strcasecmp(word, names[i]) == 0 ||
            (length == 4 && strcmp(word, "sept") == 0 && strcmp(names[i], "September") == 0))
            return i;
    return -1;
}

static bool set_date(struct reading *reading, int64_t year, int64_t month, int64_t day)
{
    if (reading->has_date || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    if (day > days_from_civil(year, (int)month + 1, 1) - days_from_civil(year, (int)month, 1))
        return false;
    reading->has_date = true;
    reading->civil.year = year;
    reading->civil.month = (int)month;
    reading->civil.day = (int)day;
    return true;
}

static int64_t full_year(int64_t year, int digits)
{
    return digits > 2 ? year : year < 69 ? year + 2000 : year + 1900;
}

static bool take_zone(struct reading *reading)
{
    const char *p = reading->text;
    int sign = *p == '-' ? -1 : 1, digits;
    int64_t hours, minutes = 0;
    p++;
    if (!number(&p, &hours, &digits) || digits > 4 || reading->has_zone)
        return false;
    if (digits > 2) {
        minutes = hours % 100;
        hours /= 100;
    } else if (*p == ':') {
        p++;
        if (!number(&p, &minutes, &digits) || digits != 2)
            return false;
    }
    if (hours > 24 || minutes > 59)
        return false;
    reading->has_zone = true;
    reading->civil.offset = (int32_t)(sign * (hours * 3600 + minutes * 60));
    reading->text = p;
    return true;
}

static bool half_of_day(struct reading *reading, int64_t *hour)
{
    const char *p = reading->text;
    char word[16];
    while (*p == ' ')
        p++;
    char first = (char)tolower((unsigned char)*p);
    if (first != 'a' && first != 'p')
        return false;
    if (strncasecmp(p + 1, ".m.", 3) == 0)
        p += 4;
    else if (take_word(&p, word) != 2 || word[1] != 'm')
        return false;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (first == 'p' ? 12 : 0);
    reading->text = p;
    return true;
}

/* A time whose hour is read and whose colon comes next. */
static bool take_time(struct reading *reading, int64_t hour)
{
    int64_t minute, second = 0;
    int digits;
    reading->text++;
    if (!number(&reading->text, &minute, &digits) || digits > 2 || minute > 59 || reading->has_time)
        return false;
    if (*reading->text == ':') {
        reading->text++;
        if (!number(&reading->text, &second, &digits) || digits > 2 || second > 60)
            return false;
        if ((*reading->text == '.' || *reading->text == ',') && isdigit((unsigned char)reading->text[1])) {
            reading->text++;
            reading->nanoseconds = fraction(&reading->text);
        }
    }
    half_of_day(reading, &hour);
    if (hour > 24 || (hour == 24 && minute + second > 0))
        return false;
    reading->has_time = true;
    reading->civil.hour = (int)hour;
    reading->civil.minute = (int)minute;
    reading->civil.second = (int)second;
    if (*reading->text == '+' || *reading->text == '-')
        return take_zone(reading);
    return true;
}

static bool add_unit(struct reading *reading, const char *name, int64_t count)
{
    static const struct { const char *name; int64_t seconds, days, months, years; } units[] = {
        {"sec", 1, 0, 0, 0}, {"second", 1, 0, 0, 0}, {"min", 60, 0, 0, 0}, {"minute", 60, 0, 0, 0},
        {"hour", 3600, 0, 0, 0}, {"day", 0, 1, 0, 0}, {"week", 0, 7, 0, 0}, {"fortnight", 0, 14, 0, 0},
        {"month", 0, 0, 1, 0}, {"year", 0, 0, 0, 1}};
    size_t length = strlen(name);
    if (length > 3 && name[length - 1] == 's')
        length--;
    if (count > 1000000000000 || count < -1000000000000)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) != length || strncmp(units[i].name, name, length) != 0)
            continue;
        const char *p = reading->text;
        char after[16];
        while (isspace((unsigned char)*p))
            p++;
        if (take_word(&p, after) == 3 && strcmp(after, "ago") == 0) {
            count = -count;
            reading->text = p;
        }
        reading->seconds += units[i].seconds * count;
        reading->days += units[i].days * count;
        reading->months += units[i].months * count;
        reading->years += units[i].years * count;
        return true;
    }
    return false;
}

static bool take_distance(struct reading *reading, int64_t count)
{
    char word[16];
    skip_space(reading);
    return take_word(&reading->text, word) > 0 && add_unit(reading, word, count);
}

/* What begins with digits: a date, a time, or a number of units. */
static bool take_number(struct reading *reading)
{
    const char *start = reading->text;
    int64_t a, b, c;
    int digits, more;
    if (!number(&reading->text, &a, &digits))
        return false;
    char next = *reading->text;
    if (next == ':' && digits <= 2)
        return take_time(reading, a);
    if (next == '-' && isdigit((unsigned char)reading->text[1])) {
        reading->text++;
        if (!number(&reading->text, &b, &more) || *reading->text != '-')
            return false;
        reading->text++;
        if (!number(&reading->text, &c, &more) || !set_date(reading, full_year(a, digits), b, c))
            return false;
        if ((*reading->text == 'T' || *reading->text == 't') && isdigit((unsigned char)reading->text[1]))
            reading->text++;
        return true;
    }
    if (next == '/') {
        reading->text++;
        if (!number(&reading->text, &b, &more))
            return false;
        if (*reading->text != '/')
            return set_date(reading, reading->civil.year, a, b);
        reading->text++;
        if (!number(&reading->text, &c, &more))
            return false;
        return digits > 2 ? set_date(reading, a, b, c) : set_date(reading, full_year(c, more), a, b);
    }
    int64_t hour = a;
    if (digits <= 2 && half_of_day(reading, &hour)) {
        if (reading->has_time)
            return false;
        reading->has_time = true;
        reading->civil.hour = (int)hour;
        reading->civil.minute = reading->civil.second = 0;
        return true;
    }
    const char *p = reading->text;
    char word[16];
    while (*p == ' ' || *p == '-')
        p++;
    if (take_word(&p, word) > 0) {
        int month = find_name(word, month_names, 12);
        if (month >= 0) { /* 2 Jan 2006, 2-Jan-2006, 2 Jan */
            int64_t year = reading->civil.year;
            const char *q = p;
            while (*q == ' ' || *q == '-' || *q == ',')
                q++;
            if (isdigit((unsigned char)*q) && number(&q, &b, &more) && *q != ':' && (more == 4 || p[0] == '-')) {
                year = full_year(b, more);
                p = q;
            }
            reading->text = p;
            return set_date(reading, year, month + 1, a);
        }
        const char *before = reading->text;
        if (*reading->text != '-' && take_distance(reading, a))
            return true;
        reading->text = before;
    }
    if (digits == 8)
        return set_date(reading, a / 10000, a / 100 % 100, a % 100) &&
               ((*reading->text == 'T' && isdigit((unsigned char)reading->text[1]) && reading->text++) || true);
    if (digits == 4 && reading->has_date && reading->has_time && start[-1] == ' ') {
        reading->civil.year = a;
        return true;
    }
    if ((digits == 4 || digits <= 2) && !reading->has_time) {
        int64_t minutes = digits == 4 ? a % 100 : 0;
        hour = digits == 4 ? a / 100 : a;
        if (hour > 23 || minutes > 59)
            return false;
        reading->has_time = true;
        reading->civil.hour = (int)hour;
        reading->civil.minute = (int)minutes;
        reading->civil.second = 0;
        return true;
    }
    return false;
}

static bool take_name(struct reading *reading)
{
    char word[16];
    take_word(&reading->text, word);
    static const char *const ordinals[] = {"last", "this", "next", "first", NULL};
    int month = find_name(word, month_names, 12), day = find_name(word, day_names, 7);
    if (month >= 0) { /* Jan 2, 2006 */
        int64_t on, year = reading->civil.year;
        int digits;
        while (*reading->text == ' ' || *reading->text == '.')
            reading->text++;
        if (!number(&reading->text, &on, &digits) || digits > 2)
            return false;
        const char *p = reading->text;
        while (*p == ',' || *p == ' ')
            p++;
        int64_t found;
        if (isdigit((unsigned char)*p) && number(&p, &found, &digits) && digits == 4 && *p != ':') {
            year = found;
            reading->text = p;
        }
        return set_date(reading, year, month + 1, on);
    }
    if (day >= 0) {
        reading->text += *reading->text == '.';
        reading->weekday = day;
        reading->has_weekday = true;
        return true;
    }
    if (strcmp(word, "now") == 0 || strcmp(word, "today") == 0)
        return true;
    if (strcmp(word, "yesterday") == 0 || strcmp(word, "tomorrow") == 0) {
        reading->days += *word == 't' ? 1 : -1;
        return true;
    }
    if (strcmp(word, "midnight") == 0 || strcmp(word, "noon") == 0) {
        reading->has_time = true;
        reading->civil.hour = *word == 'n' ? 12 : 0;
        reading->civil.minute = reading->civil.second = 0;
        return true;
    }
    if (strcmp(word, "utc") == 0 || strcmp(word, "gmt") == 0 || strcmp(word, "z") == 0) {
        if (reading->has_zone)
            return false;
        reading->has_zone = true;
        reading->civil.offset = 0;
        return *reading->text != '+' && *reading->text != '-' ? true : (reading->has_zone = false, take_zone(reading));
    }
    for (int i = 0; ordinals[i] != NULL; i++) {
        if (strcmp(word, ordinals[i]) != 0)
            continue;
        int step = i == 3 ? 1 : i - 1;
        skip_space(reading);
        const char *p = reading->text;
        char what[16];
        take_word(&p, what);
        day = find_name(what, day_names, 7);
        if (day < 0)
            return take_distance(reading, step);
        reading->text = p;
        reading->weekday = day;
        reading->weekday_step = step;
        reading->has_weekday = true;
        return true;
    }
    return add_unit(reading, word, 1);
}

static bool take_epoch(struct reading *reading)
{
    reading->text++;
    bool negative = *reading->text == '-';
    reading->text += negative || *reading->text == '+';
    int digits;
    if (!number(&reading->text, &reading->epoch, &digits))
        return false;
    if (*reading->text == '.' || *reading->text == ',') {
        reading->text++;
        reading->nanoseconds = fraction(&reading->text);
    }
    if (negative) {
        reading->epoch = -reading->epoch - (reading->nanoseconds > 0);
        reading->nanoseconds = reading->nanoseconds > 0 ? 1000000000 - reading->nanoseconds : 0;
    }
    if (reading->nanoseconds < 0)
        reading->nanoseconds = 0;
    reading->has_epoch = true;
    return true;
}

static bool take_signed(struct reading *reading)
{
    int sign = *reading->text == '-' ? -1 : 1;
    const char *p = reading->text + 1;
    while (*p == ' ')
        p++;
    int64_t count;
    int digits;
    if (!number(&p, &count, &digits))
        return false;
    const char *after = p;
    while (*after == ' ')
        after++;
    struct reading trial = *reading;
    trial.text = p;
    if (isalpha((unsigned char)*after) && take_distance(&trial, sign * count)) {
        *reading = trial;
        return true;
    }
    return reading->has_time && take_zone(reading);
}

bool read_moment(const char *text, struct moment now, bool utc, struct moment *moment)
{
    struct reading reading = {.text = text, .civil = civil_at(now.seconds, utc), .nanoseconds = -1};
    for (skip_space(&reading); *reading.text != '\0'; skip_space(&reading)) {
        char c = *reading.text;
        bool taken = c == '@' ? take_epoch(&reading)
                     : isdigit((unsigned char)c) ? take_number(&reading)
                     : isalpha((unsigned char)c) ? take_name(&reading)
                     : (c == '+' || c == '-') ? take_signed(&reading)
                                              : false;
        if (!taken)
            return false;
    }
    if (reading.has_epoch) {
        if (reading.has_date || reading.has_time || reading.has_weekday)
            return false;
        reading.civil = civil_at(reading.epoch, utc);
    } else if (reading.has_date || reading.has_time || reading.has_weekday || *text == '\0') {
        if (!reading.has_time)
            reading.civil.hour = reading.civil.minute = reading.civil.second = 0;
        reading.nanoseconds = reading.nanoseconds > 0 ? reading.nanoseconds : 0;
    }
    struct civil civil = reading.civil;
    if (reading.has_weekday && !reading.has_date) {
        int today = (int)(((days_from_civil(civil.year, civil.month, civil.day) + 4) % 7 + 7) % 7);
        int ahead = (reading.weekday - today + 7) % 7;
        int step = reading.weekday_step;
        civil.day += ahead + 7 * (step - (step > 0 && ahead != 0));
    }
    if (reading.years > 1000000 || reading.years < -1000000 || reading.months > 1000000 || reading.months < -1000000 ||
        reading.days > 1000000000 || reading.days < -1000000000)
        return false;
    civil.year += reading.years;
    civil.month += (int)reading.months;
    civil.day += (int)reading.days;
    moment->seconds = seconds_of(&civil, utc, reading.has_zone) + reading.seconds;
    moment->nanoseconds = reading.nanoseconds >= 0 ? reading.nanoseconds : now.nanoseconds;
    return true;
}
