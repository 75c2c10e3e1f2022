#ifndef READER_H
#define READER_H
/* Files read through one large buffer, whole lines at a time whatever bytes they hold. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { READ_SIZE = 1 << 18 };

struct reader {
    int fd;
    char *data;
    size_t room, start, end; /* data[start..end) is read and not yet taken */
    bool finished;
    int failure; /* the errno that ended the reading, or 0 */
};

/* Opens the file, or takes standard input for "-"; false with errno. */
bool reader_open(struct reader *reader, const char *name);
/* The next piece of text up to and with its delimiter (the last one may have none), valid until the next call. */
bool reader_line(struct reader *reader, char delimiter, char **line, size_t *length);
/* Whatever comes next, at most a bufferful: 0 at the end, -1 with errno; valid until the next call. */
ssize_t reader_block(struct reader *reader, char **block);
void reader_close(struct reader *reader);

/* open for reading, where "-" is standard input; -1 with errno. */
int open_input(const char *name);
/* read, once more after an interruption; a directory is EISDIR whatever the host calls it. */
ssize_t read_some(int fd, void *into, size_t size);
/* Writes all of it to the descriptor; false with errno. */
bool write_all(int fd, const void *from, size_t size);
void *allocate(size_t size);
void *reallocate(void *old, size_t size);
#endif
