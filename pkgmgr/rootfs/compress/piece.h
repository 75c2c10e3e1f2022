/* What both compressors share: room for one piece of input and for what becomes of it. */

#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(name)))

/* Where the host finds it: the module exports the address of this. */
struct {
    unsigned char *input, *output;
    unsigned room, made;
} piece;

static int make_room(unsigned size, unsigned bound)
{
    piece.input = malloc(size);
    piece.output = malloc(bound);
    piece.room = bound;
    return piece.input && piece.output;
}
