/* Dates as people write them: a scan over words, each of which fixes a date, a time, a zone or a shift. */
#include "date_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
    struct tm when;
    long nanoseconds;
    bool has_date, has_time, has_zone, has_weekday;
    long zone_minutes; /* east of Greenwich */
    int weekday;
    double shift_seconds;
    long shift_days, shift_months, last_count;
    bool has_count;
};

static const char *const month_names = "jan feb mar apr may jun jul aug sep oct nov dec ";
static const char *const day_names = "sun mon tue wed thu fri sat ";

/* Index of a word, or of its first three letters, in a list of such; -1 when absent. */
static int index_in(const char *list, const char *word) {
    static const char *const full = " sunday monday tuesday tues wednesday wednes thursday thur thurs friday saturday january february march april june july august september sept october november december ";
    char key[5], whole[16];
    if (strlen(word) < 3) return -1;
    snprintf(key, sizeof key, "%.3s ", word);
    const char *at = strstr(list, key);
    if (!at) return -1;
    snprintf(whole, sizeof whole, " %s ", word);
    if (strlen(word) > 3 && !strstr(full, whole)) return -1;
    return (int)(at - list) / 4;
}

static bool set_date(struct reading *reading, int year, int month, int day) {
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (reading->has_date || month < 1 || month > 12 || day < 1 || day > lengths[month - 1]) return false;
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    if (month == 2 && day == 29 && !leap) return false;
    reading->has_date = true;
    reading->when.tm_year = year - 1900;
    reading->when.tm_mon = month - 1;
    reading->when.tm_mday = day;
    return true;
}

static bool set_time(struct reading *reading, int hour, int minute, int second) {
    if (reading->has_time || hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
    if (hour == 24) return false;
    reading->has_time = true;
    reading->when.tm_hour = hour;
    reading->when.tm_min = minute;
    reading->when.tm_sec = second;
    return true;
}

/* Reads ".25" or ",25" as nanoseconds. */
static const char *take_fraction(const char *text, long *nanoseconds) {
    long scale = 100000000;
    *nanoseconds = 0;
    if ((*text != '.' && *text != ',') || !isdigit((unsigned char)text[1])) return text;
    for (text++; isdigit((unsigned char)*text); text++, scale /= 10) *nanoseconds += (*text - '0') * scale;
    return text;
}

/* Reads +02:00, -0530 or +2. */
static const char *take_zone(struct reading *reading, const char *text) {
    int hours = 0, minutes = 0, used = 0;
    int sign = *text == '-' ? -1 : 1;
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) < 2 || !used) {
        used = 0;
        if (sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &used) < 2 || !used) {
            minutes = 0, used = 0;
            if (sscanf(text + 1, "%2d%n", &hours, &used) < 1) return NULL;
        }
    }
    if (hours > 24 || minutes > 59) return NULL;
    reading->has_zone = true;
    reading->zone_minutes = sign * (hours * 60L + minutes);
    return text + 1 + used;
}

static const char *take_clock(struct reading *reading, const char *text) {
    int hour, minute, second = 0, used = 0, more = 0;
    if (sscanf(text, "%2d:%2d%n", &hour, &minute, &used) < 2 || !used) return NULL;
    text += used;
    if (*text == ':' && sscanf(text, ":%2d%n", &second, &more) == 1) text = take_fraction(text + more, &reading->nanoseconds);
    const char *after = text + strspn(text, " ");
    if (!strncasecmp(after, "am", 2) || !strncasecmp(after, "pm", 2)) {
        if (hour < 1 || hour > 12) return NULL;
        hour = hour % 12 + (tolower((unsigned char)*after) == 'p' ? 12 : 0);
        text = after + 2;
    }
    if (!set_time(reading, hour, minute, second)) return NULL;
    if (*text == '+' || *text == '-') return take_zone(reading, text);
    return text;
}

static bool shift(struct reading *reading, const char *unit, long count) {
    static const struct { const char *name; long seconds; int days, months; } units[] = {
        {"second", 1, 0, 0}, {"sec", 1, 0, 0}, {"minute", 60, 0, 0}, {"min", 60, 0, 0}, {"hour", 3600, 0, 0},
        {"day", 0, 1, 0}, {"week", 0, 7, 0}, {"fortnight", 0, 14, 0}, {"month", 0, 0, 1}, {"year", 0, 0, 12},
    };
    size_t length = strlen(unit);
    if (length > 3 && unit[length - 1] == 's') length--;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) != length || strncmp(units[i].name, unit, length)) continue;
        reading->shift_seconds += (double)units[i].seconds * (double)count;
        reading->shift_days += units[i].days * count;
        reading->shift_months += units[i].months * count;
        return true;
    }
    return false;
}

/* A word of letters; `next` is the rest of the text, which "Feb 3 2024" and "2 days ago" look into. */
static bool take_word(struct reading *reading, const char *word, const char **next) {
    int used = 0, day, year;
    if (!strcmp(word, "now") || !strcmp(word, "today")) return true;
    if (!strcmp(word, "yesterday")) return reading->shift_days -= 1, true;
    if (!strcmp(word, "tomorrow")) return reading->shift_days += 1, true;
    if (!strcmp(word, "midnight")) return set_time(reading, 0, 0, 0);
    if (!strcmp(word, "noon")) return set_time(reading, 12, 0, 0);
    if (!strcmp(word, "utc") || !strcmp(word, "gmt") || !strcmp(word, "z")) return reading->has_zone = true, reading->zone_minutes = 0, true;
    if (!strcmp(word, "next") || !strcmp(word, "last") || !strcmp(word, "this")) {
        reading->has_count = true;
        reading->last_count = *word == 'n' ? 1 : *word == 'l' ? -1 : 0;
        return true;
    }
    int month = index_in(month_names, word);
    if (month >= 0) {
        if (sscanf(*next, " %2d%n", &day, &used) < 1) return false;
        *next += used;
        used = 0;
        year = reading->when.tm_year + 1900;
        const char *rest = *next + strspn(*next, " ,");
        if (sscanf(rest, "%4d%n", &year, &used) == 1 && used == 4 && rest[4] != ':') *next = rest + 4;
        else year = reading->when.tm_year + 1900;
        return set_date(reading, year, month + 1, day);
    }
    int weekday = index_in(day_names, word);
    if (weekday >= 0) {
        reading->has_weekday = true;
        reading->weekday = weekday;
        return true;
    }
    long count = reading->has_count ? reading->last_count : 1;
    reading->has_count = false;
    if (!strcmp(word, "ago")) return false;
    const char *after = *next + strspn(*next, " ");
    if (!strncasecmp(after, "ago", 3) && !isalpha((unsigned char)after[3])) count = -count, *next = after + 3;
    return shift(reading, word, count);
}

/* Something that begins with a digit. */
static const char *take_number(struct reading *reading, const char *text) {
    int year, month, day, used = 0;
    char name[16];
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && used) {
        text += used;
        if (!set_date(reading, year, month, day)) return NULL;
        return *text == 'T' || *text == 't' ? text + 1 : text;
    }
    used = 0;
    if (sscanf(text, "%4d/%2d/%2d%n", &year, &month, &day, &used) == 3 && year > 31) return set_date(reading, year, month, day) ? text + used : NULL;
    if (sscanf(text, "%2d/%2d/%4d%n", &month, &day, &year, &used) == 3 && used) return set_date(reading, year, month, day) ? text + used : NULL;
    size_t digits = strspn(text, "0123456789");
    if (text[digits] == ':') return take_clock(reading, text);
    if (digits == 8 && sscanf(text, "%4d%2d%2d", &year, &month, &day) == 3) return set_date(reading, year, month, day) ? text + 8 : NULL;
    if (digits > 9) return NULL;
    if (digits <= 2 && sscanf(text, "%2d%*[ -]%9[A-Za-z]%n", &day, name, &used) == 2 && used) {
        for (char *at = name; *at; at++) *at = (char)tolower((unsigned char)*at);
        if (index_in(month_names, name) >= 0) {
            month = index_in(month_names, name) + 1;
            text += used;
            used = 0;
            const char *rest = text + strspn(text, " -,");
            if (sscanf(rest, "%4d%n", &year, &used) == 1 && used == 4 && rest[4] != ':') text = rest + 4;
            else year = reading->when.tm_year + 1900;
            return set_date(reading, year, month, day) ? text : NULL;
        }
    }
    const char *after = text + digits + strspn(text + digits, " ");
    if (digits <= 2 && (!strncasecmp(after, "am", 2) || !strncasecmp(after, "pm", 2)) && !isalpha((unsigned char)after[2])) {
        int hour = atoi(text);
        if (hour < 1 || hour > 12) return NULL;
        return set_time(reading, hour % 12 + (tolower((unsigned char)*after) == 'p' ? 12 : 0), 0, 0) ? after + 2 : NULL;
    }
    if (!isalpha((unsigned char)*after)) return NULL;
    reading->has_count = true;
    reading->last_count = atol(text);
    return text + digits;
}

static bool finish(struct reading *reading, struct timespec *date) {
    struct tm when = reading->when;
    if (!reading->has_time && (reading->has_date || reading->has_weekday)) when.tm_hour = when.tm_min = when.tm_sec = 0, reading->nanoseconds = 0;
    when.tm_mon += (int)reading->shift_months;
    when.tm_mday += (int)reading->shift_days;
    if (reading->has_weekday && !reading->has_date) {
        long weeks = reading->has_count ? reading->last_count : 0;
        int ahead = (reading->weekday - when.tm_wday + 7) % 7;
        when.tm_mday += ahead + 7 * (int)(weeks > 0 && !ahead ? 1 : weeks < 0 ? -1 : 0);
    } else if (reading->has_count) {
        return false;
    }
    when.tm_isdst = -1;
    if (reading->has_zone) when.tm_min -= (int)reading->zone_minutes;
    time_t seconds = reading->has_zone ? timegm(&when) : mktime(&when);
    date->tv_sec = seconds + (time_t)reading->shift_seconds;
    date->tv_nsec = reading->nanoseconds;
    return true;
}

bool date_from_text(const char *text, struct timespec now, struct timespec *date) {
    struct reading reading = {.nanoseconds = now.tv_nsec};
    text += strspn(text, " \t");
    if (*text == '@') {
        char *end;
        bool negative = text[1] == '-';
        long long seconds = strtoll(text + 1, &end, 10);
        if (end == text + 1) return false;
        const char *rest = take_fraction(end, &reading.nanoseconds);
        if (rest[strspn(rest, " \t")]) return false;
        date->tv_sec = (time_t)seconds;
        date->tv_nsec = reading.nanoseconds;
        if (negative && date->tv_nsec) date->tv_sec -= 1, date->tv_nsec = 1000000000 - date->tv_nsec;
        return true;
    }
    bool greenwich = strstr(text, "UTC") || strstr(text, "GMT") || strchr(text, 'Z');
    reading.when = *(greenwich ? gmtime(&now.tv_sec) : localtime(&now.tv_sec));
    if (!*text) {
        if (!set_time(&reading, 0, 0, 0)) return false;
        reading.nanoseconds = 0;
        return finish(&reading, date);
    }
    while (text && *text) {
        unsigned char first = (unsigned char)*text;
        if (isspace(first) || first == ',') {
            text++;
        } else if (isdigit(first)) {
            text = take_number(&reading, text);
        } else if (isalpha(first)) {
            char word[16];
            size_t length = 0;
            for (; isalpha((unsigned char)text[length]); length++) {
                if (length >= sizeof word - 1) return false;
                word[length] = (char)tolower((unsigned char)text[length]);
            }
            word[length] = 0;
            text += length;
            if (*text == '.') text++;
            if (!take_word(&reading, word, &text)) return false;
        } else if (first == '+' || first == '-') {
            char *end;
            long count = strtol(text, &end, 10);
            const char *after = end + strspn(end, " ");
            if (end > text + 1 && isalpha((unsigned char)*after)) {
                reading.has_count = true;
                reading.last_count = count;
                text = after;
            } else if (reading.has_time && isdigit((unsigned char)text[1])) {
                text = take_zone(&reading, text);
            } else {
                return false;
            }
        } else {
            return false;
        }
    }
    if (!text) return false;
    if (reading.has_time && reading.nanoseconds == now.tv_nsec) reading.nanoseconds = 0;
    return finish(&reading, date);
}

bool date_from_stamp(const char *text, struct timespec now, struct timespec *date) {
    size_t digits = strspn(text, "0123456789");
    int second = 0, used = 0;
    if (digits != 8 && digits != 10 && digits != 12) return false;
    if (text[digits] && (sscanf(text + digits, ".%2d%n", &second, &used) != 1 || used != 3 || text[digits + 3])) return false;
    int parts[6], count = (int)digits / 2;
    for (int i = 0; i < count; i++) parts[i] = (text[2 * i] - '0') * 10 + text[2 * i + 1] - '0';
    int *tail = parts + count - 4;
    int year = localtime(&now.tv_sec)->tm_year + 1900;
    if (count == 6) year = parts[0] * 100 + parts[1];
    if (count == 5) year = parts[0] + (parts[0] < 69 ? 2000 : 1900);
    struct reading reading = {0};
    if (!set_date(&reading, year, tail[0], tail[1]) || !set_time(&reading, tail[2], tail[3], second)) return false;
    return finish(&reading, date);
}
