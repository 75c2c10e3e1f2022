#ifndef CALENDAR_H
#define CALENDAR_H
/* Days, dates and zones, without the C library's idea of them. */
#include <stdbool.h>
#include <stdint.h>

struct moment {
    int64_t seconds; /* since 1970-01-01 00:00:00 UTC */
    int32_t nanoseconds;
};

/* A date and time of day somewhere; month and day from 1, any value allowed before normalisation. */
struct civil {
    int64_t year;
    int month, day, hour, minute, second;
    int weekday, yearday; /* from 0: Sunday, January 1st; filled by civil_at */
    int32_t offset;       /* seconds east of UTC */
    char zone[16];
};

int64_t days_from_civil(int64_t year, int month, int day);
/* The moment in the zone of TZ (a POSIX rule, or a fixed offset), or in UTC. */
struct civil civil_at(int64_t seconds, bool utc);
/* The seconds of a date and time in the zone, or at the given offset when has_offset. */
int64_t seconds_of(const struct civil *civil, bool utc, bool has_offset);
/* Reads what people write for a date (date -d); false when it cannot be understood. */
bool read_moment(const char *text, struct moment now, bool utc, struct moment *moment);
extern const char *const month_names[12], *const day_names[7];
#endif
