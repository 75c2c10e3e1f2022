/* stat: one file's line in a format. */
#ifndef STAT_FORMAT_H
#define STAT_FORMAT_H
#include <stdbool.h>
#include <sys/stat.h>

/* Prints format for the file at path; escapes (\n and the like) are read in --printf's formats only. */
void stat_print(const char *format, bool escapes, const char *path, const struct stat *status);
/* 2024-02-29 12:30:05.000000000 +0000, as a string that the next call overwrites. */
const char *stat_time_text(struct timespec when);
#endif
