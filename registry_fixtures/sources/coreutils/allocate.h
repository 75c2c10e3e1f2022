/* Memory or a clear end: allocation that never returns NULL. */
#ifndef ALLOCATE_H
#define ALLOCATE_H
#include <stdlib.h>
#include <string.h>

#include "applet.h"

static inline void *allocate(size_t size) {
    void *memory = malloc(size ? size : 1);
    if (!memory) applet_diex(1, "memory exhausted");
    return memory;
}

static inline void *reallocate(void *memory, size_t count, size_t size) {
    if (size && count > (size_t)-1 / size) applet_diex(1, "memory exhausted");
    memory = realloc(memory, count && size ? count * size : 1);
    if (!memory) applet_diex(1, "memory exhausted");
    return memory;
}

static inline char *copy_string(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(allocate(size), text, size);
}
#endif
