/* fuzz_lz.c - the decoders of record batches and HTTP bodies.
 *
 * The first byte picks the codec (5 is an HTTP body); the rest is first unfolded as a
 * peer's bytes, then folded and unfolded again as a plain text. */
#include <stdint.h>
#include <stdlib.h>

#include "common/lz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN_MAX (256 * KIB)
#define HTTP_BODY 5

static int unfold(unsigned codec, struct slice in, struct str *out)
{
    return codec == HTTP_BODY ? lz_body_decode(in, PLAIN_MAX, out)
                              : lz_decompress((enum lz_codec)codec, in, out);
}

static int fold(unsigned codec, struct slice in, struct str *out)
{
    return codec == HTTP_BODY ? lz_body_encode(in, out)
                              : lz_compress((enum lz_codec)codec, in, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str plain, folded;

    if (size == 0)
        return 0;
    unsigned codec = data[0] % (HTTP_BODY + 1);
    struct slice in = slice_of(data + 1, size - 1);

    str_init(&plain, PLAIN_MAX);
    int code = unfold(codec, in, &plain);
    if (plain.len > PLAIN_MAX || (code != 0 && plain.len != 0))
        abort();
    str_fini(&plain);

    if (in.len > PLAIN_MAX)
        return 0;
    str_init(&plain, PLAIN_MAX);
    str_init(&folded, 4 * PLAIN_MAX);
    if (fold(codec, in, &folded) != 0)
        abort();
    if (unfold(codec, str_slice(&folded), &plain) != 0 ||
        !slice_eq(str_slice(&plain), in))
        abort();
    str_fini(&plain);
    str_fini(&folded);
    return 0;
}
