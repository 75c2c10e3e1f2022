/* Memory: checked allocation, strings that grow, and arenas that are freed as a whole. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Never NULL: without memory the shell ends with a message and status 2. */
void *allocate(size_t size);
void *reallocate(void *old, size_t size);
char *copy_string(const char *text);

/* Text that grows; `data` is NULL while it is empty, else NUL-terminated after `text_end`. */
struct text {
    char *data;
    size_t length, room;
};

void text_add(struct text *text, char c);
void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
/* The string so far, which the text still owns. */
char *text_end(struct text *text);
void text_free(struct text *text);

struct block;

/* Everything allocated from an arena goes at once. */
struct arena {
    struct block *blocks;
};

void *arena_allocate(struct arena *arena, size_t size);
char *arena_string(struct arena *arena, const char *text, size_t length);
/* Moves the text's content into the arena and frees the text. */
char *arena_take(struct arena *arena, struct text *text);
void arena_free(struct arena *arena);

#endif
