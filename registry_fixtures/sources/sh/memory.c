#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

enum { BLOCK_ROOM = 2032, ALIGNMENT = 8 };

struct block {
    struct block *next;
    size_t used, room;
    _Alignas(ALIGNMENT) char data[];
};

static void *checked(void *memory) {
    if (!memory) {
        static const char message[] = "sh: out of memory\n";
        sys_write(2, message, sizeof message - 1);
        sys_exit(2);
    }
    return memory;
}

void *allocate(size_t size) {
    return checked(malloc(size ? size : 1));
}

void *reallocate(void *old, size_t size) {
    return checked(realloc(old, size ? size : 1));
}

char *copy_string(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(allocate(size), text, size);
}

static void make_room(struct text *text, size_t more) {
    if (more > SIZE_MAX / 4 - text->length) {
        checked(NULL);
    }
    size_t needed = text->length + more + 1;
    if (needed > text->room) {
        text->room = needed < 32 ? 32 : needed + needed / 2;
        text->data = reallocate(text->data, text->room);
    }
}

void text_add(struct text *text, char c) {
    if (text->length + 1 >= text->room) {
        make_room(text, 1);
    }
    text->data[text->length++] = c;
}

void text_add_bytes(struct text *text, const char *bytes, size_t length) {
    make_room(text, length);
    if (length) {
        memcpy(text->data + text->length, bytes, length);
    }
    text->length += length;
}

void text_add_string(struct text *text, const char *string) {
    text_add_bytes(text, string, strlen(string));
}

char *text_end(struct text *text) {
    make_room(text, 0);
    text->data[text->length] = '\0';
    return text->data;
}

void text_free(struct text *text) {
    free(text->data);
    *text = (struct text){0};
}

void *arena_allocate(struct arena *arena, size_t size) {
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct block *block = arena->blocks;
    if (!block || block->room - block->used < size) {
        size_t room = size > BLOCK_ROOM ? size : BLOCK_ROOM;
        block = allocate(sizeof *block + room);
        *block = (struct block){.next = arena->blocks, .room = room};
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += size;
    return memset(memory, 0, size);
}

char *arena_string(struct arena *arena, const char *text, size_t length) {
    char *copy = arena_allocate(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *arena_take(struct arena *arena, struct text *text) {
    char *copy = arena_string(arena, text->data ? text->data : "", text->length);
    text_free(text);
    return copy;
}

void arena_free(struct arena *arena) {
    for (struct block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->blocks = NULL;
}
