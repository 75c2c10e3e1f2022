/* Dates and zones: see calendar.h. */
#include "calendar.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const day_names[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t days_from_civil(int64_t year, int month, int day)
{
    year += floor_div(month - 1, 12);
    month = (int)(month - 1 - floor_div(month - 1, 12) * 12) + 1;
    /* Years are counted from March, so that the leap day is the last one. */
    int64_t y = month <= 2 ? year - 1 : year;
    int from_march = (month + 9) % 12;
    int64_t before = 365 * y + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400);
    return before + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

static void split(int64_t seconds, struct civil *civil)
{
    int64_t days = floor_div(seconds, 86400);
    int rest = (int)(seconds - days * 86400);
    civil->hour = rest / 3600;
    civil->minute = rest / 60 % 60;
    civil->second = rest % 60;
    civil->weekday = (int)(((days + 4) % 7 + 7) % 7);
    int64_t guess = floor_div(days * 400, 146097) + 1970;
    while (days_from_civil(guess, 1, 1) > days)
        guess--;
    while (days_from_civil(guess + 1, 1, 1) <= days)
        guess++;
    civil->year = guess;
    civil->yearday = (int)(days - days_from_civil(guess, 1, 1));
    civil->month = 12;
    while (days_from_civil(guess, civil->month, 1) > days)
        civil->month--;
    civil->day = (int)(days - days_from_civil(guess, civil->month, 1)) + 1;
}

/* When summer time begins or ends, as POSIX writes it in TZ: Jn, n, or Mm.w.d, and a time of day. */
struct change {
    char kind; /* J, 0 or M */
    int month, week, day;
    int32_t time;
};

struct zone {
    char name[2][16]; /* standard and summer time */
    int32_t offset[2];
    bool has_summer;
    struct change change[2];
};

static bool zone_name(const char **text, char name[16])
{
    const char *p = *text;
    bool bracketed = *p == '<';
    size_t length = 0;
    for (p += bracketed; bracketed ? *p != '\0' && *p != '>' : isalpha((unsigned char)*p); p++)
        if (length < 15)
            name[length++] = *p;
    name[length] = '\0';
    if (bracketed && *p++ != '>')
        return false;
    *text = p;
    return length >= 3;
}

static int zone_number(const char **text)
{
    int value = 0;
    while (isdigit((unsigned char)**text) && value < 100000)
        value = value * 10 + (*(*text)++ - '0');
    return value;
}

static int32_t zone_time(const char **text)
{
    int sign = **text == '-' ? -1 : 1;
    *text += **text == '-' || **text == '+';
    int32_t value = zone_number(text) * 3600;
    for (int unit = 60; **text == ':' && unit > 0; unit /= 60) {
        (*text)++;
        value += zone_number(text) * unit;
    }
    return sign * value;
}

static struct change zone_change(const char **text)
{
    struct change change = {.kind = '0', .time = 7200};
    if (**text == 'J' || **text == 'M')
        change.kind = *(*text)++;
    change.day = zone_number(text);
    if (change.kind == 'M') {
        change.month = change.day;
        *text += **text == '.';
        change.week = zone_number(text);
        *text += **text == '.';
        change.day = zone_number(text);
    }
    if (**text == '/') {
        (*text)++;
        change.time = zone_time(text);
    }
    return change;
}

static const struct zone *local_zone(void)
{
    static struct zone zone;
    static bool known;
    if (known)
        return &zone;
    known = true;
    const char *p = getenv("TZ");
    strcpy(zone.name[0], "UTC");
    if (p == NULL)
        return &zone;
    p += *p == ':';
    struct zone read = {0};
    if (!zone_name(&p, read.name[0]) || (*p != '-' && *p != '+' && !isdigit((unsigned char)*p)))
        return &zone;
    read.offset[0] = -zone_time(&p);
    if (*p != '\0' && *p != ',' && zone_name(&p, read.name[1])) {
        read.has_summer = true;
        read.offset[1] = *p != '\0' && *p != ',' ? -zone_time(&p) : read.offset[0] + 3600;
        const char *rules = *p == ',' ? p + 1 : "M3.2.0,M11.1.0";
        read.change[0] = zone_change(&rules);
        rules += *rules == ',';
        read.change[1] = zone_change(&rules);
    }
    zone = read;
    return &zone;
}

static int64_t change_seconds(const struct change *change, int64_t year, int32_t offset)
{
    int64_t day;
    bool leap = days_from_civil(year, 3, 1) - days_from_civil(year, 2, 1) == 29;
    if (change->kind == 'M') {
        day = days_from_civil(year, change->month, 1);
        int weekday = (int)(((day + 4) % 7 + 7) % 7);
        day += (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
        if (day >= days_from_civil(year, change->month + 1, 1))
            day -= 7;
    } else {
        day = days_from_civil(year, 1, 1) + change->day - (change->kind == 'J');
        day += change->kind == 'J' && leap && change->day > 59;
    }
    return day * 86400 + change->time - offset;
}

static int is_summer(const struct zone *zone, int64_t seconds)
{
    if (!zone->has_summer)
        return 0;
    struct civil civil;
    split(seconds + zone->offset[0], &civil);
    int64_t begin = change_seconds(&zone->change[0], civil.year, zone->offset[0]);
    int64_t end = change_seconds(&zone->change[1], civil.year, zone->offset[1]);
    return begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
}

struct civil civil_at(int64_t seconds, bool utc)
{
    struct civil civil = {.zone = "UTC"};
    if (!utc) {
        const struct zone *zone = local_zone();
        int summer = is_summer(zone, seconds);
        civil.offset = zone->offset[summer];
        strcpy(civil.zone, zone->name[summer]);
    }
    split(seconds + civil.offset, &civil);
    return civil;
}

int64_t seconds_of(const struct civil *civil, bool utc, bool has_offset)
{
    int64_t seconds = days_from_civil(civil->year, civil->month, civil->day) * 86400 + (int64_t)civil->hour * 3600 +
                      (int64_t)civil->minute * 60 + civil->second;
    if (has_offset)
        return seconds - civil->offset;
    if (utc)
        return seconds;
    const struct zone *zone = local_zone();
    int64_t summer = seconds - zone->offset[1];
    return zone->has_summer && is_summer(zone, summer) ? summer : seconds - zone->offset[0];
}
