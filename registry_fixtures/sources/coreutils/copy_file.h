/* Copying one file: its data, a link or a special file, and its times. */
#ifndef COPY_FILE_H
#define COPY_FILE_H
#include <stdbool.h>
#include <sys/stat.h>

/* Copies the data of a regular file (or what reading a device gives). With force, a target that cannot be opened is
   removed and made anew. False after a message. */
bool copy_data(const char *source, const char *target, const struct stat *status, bool force);
/* Makes target a symbolic link with the source's text. False after a message. */
bool copy_link(const char *source, const char *target);
/* Gives target the times (and, where there are any, the mode and owner) in status. False after a message. */
bool copy_attributes(const char *target, const struct stat *status);
#endif
