/* A piece of input becomes a member of a gzip file (RFC 1952), by libdeflate: no time, no name, system 255 (unknown). */

#include "libdeflate.h"
#include "piece.h"

static struct libdeflate_compressor *compressor;

/* Makes room for pieces of so many bytes; `made` is 1 if there is room. */
EXPORT("prepare") void prepare(int level, unsigned size)
{
    compressor = libdeflate_alloc_compressor(level);
    piece.made = compressor && make_room(size, libdeflate_gzip_compress_bound(compressor, size));
}

/* `made` is how many bytes of output there are, 0 if it failed. */
EXPORT("compress") void compress(unsigned size)
{
    piece.made = libdeflate_gzip_compress(compressor, piece.input, size, piece.output, piece.room);
}
