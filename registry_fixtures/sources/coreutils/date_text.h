/* Dates as people write them. */
#ifndef DATE_TEXT_H
#define DATE_TEXT_H
#include <stdbool.h>
#include <time.h>

/* Reads "2024-02-29 12:30:05.5 +0200", "@1700000000.5", "yesterday", "2 days ago", "noon tomorrow", "Feb 3 2024 10am"
   and the like, relative to now. False when it is no date. */
bool date_from_text(const char *text, struct timespec now, struct timespec *date);
/* Reads touch -t's [[CC]YY]MMDDhhmm[.ss]. */
bool date_from_stamp(const char *text, struct timespec now, struct timespec *date);
#endif
