/* A piece of input becomes a frame of Zstandard (RFC 8878) that says how long it is and has a checksum. */

#define ZSTD_STATIC_LINKING_ONLY
#include "zstd.h"
#include "piece.h"

static ZSTD_CCtx *context;

/* Makes room for pieces of so many bytes; `made` is 1 if there is room. */
EXPORT("prepare") void prepare(int level, unsigned size)
{
    context = ZSTD_createCCtx();
    piece.made = context
        && !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
        && make_room(size, ZSTD_compressBound(size));
}

/* `made` is how many bytes of output there are, 0 if it failed. */
EXPORT("compress") void compress(unsigned size)
{
    size_t made = ZSTD_compress2(context, piece.output, piece.room, piece.input, size);
    piece.made = ZSTD_isError(made) ? 0 : made;
}
