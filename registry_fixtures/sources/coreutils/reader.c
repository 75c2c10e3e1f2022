/* Reading files: see reader.h. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"

void *allocate(size_t size)
{
    return reallocate(NULL, size);
}

void *reallocate(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL)
        applet_diex(usage_status(), "memory exhausted");
    return memory;
}

int open_input(const char *name)
{
    return strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY);
}

ssize_t read_some(int fd, void *into, size_t size)
{
    for (;;) {
        ssize_t got = read(fd, into, size);
        if (got >= 0)
            return got;
        if (errno == EINTR)
            continue;
        int code = errno;
        struct stat status;
        errno = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? EISDIR : code;
        return -1;
    }
}

bool write_all(int fd, const void *from, size_t size)
{
    for (const char *next = from; size > 0;) {
        ssize_t put = write(fd, next, size);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            next += put;
            size -= (size_t)put;
        }
    }
    return true;
}

bool reader_open(struct reader *reader, const char *name)
{
    *reader = (struct reader){.fd = open_input(name)};
    return reader->fd >= 0;
}

/* Reads more behind what is there, making room first; false at the end. */
static bool fill(struct reader *reader)
{
    if (reader->finished)
        return false;
    if (reader->start == reader->end) {
        reader->start = reader->end = 0;
    } else if (reader->start > 0 && reader->room - reader->end < READ_SIZE) {
        memmove(reader->data, reader->data + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->room - reader->end < READ_SIZE) {
        reader->room = reader->room * 2 + READ_SIZE;
        reader->data = reallocate(reader->data, reader->room);
    }
    ssize_t got = read_some(reader->fd, reader->data + reader->end, READ_SIZE);
    if (got <= 0) {
        reader->finished = true;
        reader->failure = got < 0 ? errno : 0;
        return false;
    }
    reader->end += (size_t)got;
    return true;
}

bool reader_line(struct reader *reader, char delimiter, char **line, size_t *length)
{
    size_t seen = 0;
    char *stop;
    for (;;) {
        size_t held = reader->end - reader->start;
        stop = held > seen ? memchr(reader->data + reader->start + seen, delimiter, held - seen) : NULL;
        if (stop != NULL)
            break;
        seen = held;
        if (!fill(reader))
            break;
    }
    *line = reader->data + reader->start;
    *length = stop != NULL ? (size_t)(stop - *line) + 1 : reader->end - reader->start;
    reader->start += *length;
    return *length > 0;
}

ssize_t reader_block(struct reader *reader, char **block)
{
    if (reader->start == reader->end && !fill(reader)) {
        errno = reader->failure;
        return reader->failure != 0 ? -1 : 0;
    }
    *block = reader->data + reader->start;
    size_t size = reader->end - reader->start;
    reader->start = reader->end;
    return (ssize_t)size;
}

void reader_close(struct reader *reader)
{
    if (reader->fd > STDIN_FILENO)
        close(reader->fd);
    free(reader->data);
    *reader = (struct reader){.fd = -1};
}
