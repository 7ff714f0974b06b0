/* sigv4.c - see sigv4.h.
 *
 * Names as in the specification: canonical request -> string to sign -> signature. */
#include "common/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/check.h"
#include "common/crypto.h"

#define TEXT_MAX_BYTES (64 * KIB)
#define SCOPE_SIZE     128

void sigv4_encode(const char *text, bool keep_slash, struct str *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash)) {
            str_putc(out, (char)c);
        } else {
            str_putc(out, '%');
            str_putc(out, digits[c >> 4]);
            str_putc(out, digits[c & 15]);
        }
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct str *)a)->data, ((const struct str *)b)->data);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sigv4_pair *)a)->name,
                  ((const struct sigv4_pair *)b)->name);
}

/* The query: pairs encoded, then sorted. Sorting "name=value" as a whole would put "a-b="
 * before "a=", so that the "=" stands as the lowest byte while it is sorted. */
static void canonical_query(const struct sigv4_input *input, struct str *out)
{
    struct str pairs[SIGV4_PAIRS_MAX];
    for (size_t i = 0; i < input->param_count; i++) {
        str_init(&pairs[i], TEXT_MAX_BYTES);
        sigv4_encode(input->params[i].name, false, &pairs[i]);
        str_putc(&pairs[i], '\1');
        sigv4_encode(input->params[i].value, false, &pairs[i]);
    }
    qsort(pairs, input->param_count, sizeof(pairs[0]), by_text);
    for (size_t i = 0; i < input->param_count; i++) {
        char *equals = strchr(pairs[i].data, '\1');
        if (equals != NULL)
            *equals = '=';
        if (i > 0)
            str_putc(out, '&');
        str_append_slice(out, str_slice(&pairs[i]));
        str_fini(&pairs[i]);
    }
}

/* Headers sorted by name into TEXT, their names joined by ";" into NAMES. */
static void canonical_headers(const struct sigv4_input *input, const char *date,
                              struct str *text, struct str *names)
{
    struct sigv4_pair headers[SIGV4_PAIRS_MAX + 1];
    size_t count = input->header_count;
    memcpy(headers, input->headers, count * sizeof(headers[0]));
    headers[count++] = (struct sigv4_pair){"x-amz-date", date};
    qsort(headers, count, sizeof(headers[0]), by_name);
    for (size_t i = 0; i < count; i++) {
        str_printf(text, "%s:%s\n", headers[i].name, headers[i].value);
        str_printf(names, "%s%s", i > 0 ? ";" : "", headers[i].name);
    }
}

/* The key of one day, region and service. */
static void signing_key(const struct sigv4_input *input, const char *day,
                        uint8_t key[SHA256_LEN])
{
    struct str secret;
    uint8_t a[SHA256_LEN], b[SHA256_LEN];
    str_init(&secret, KIB);
    str_printf(&secret, "AWS4%s", input->secret_key);
    crypto_hmac_sha256(str_slice(&secret), slice_str(day), a);
    crypto_hmac_sha256(slice_of(a, SHA256_LEN), slice_str(input->region), b);
    crypto_hmac_sha256(slice_of(b, SHA256_LEN), slice_str(input->service), a);
    crypto_hmac_sha256(slice_of(a, SHA256_LEN), SLICE_LITERAL("aws4_request"), key);
    if (secret.data != NULL)
        explicit_bzero(secret.data, secret.len);
    str_fini(&secret);
    explicit_bzero(a, sizeof(a));
    explicit_bzero(b, sizeof(b));
}

/* Hex signature over the canonical request. */
static void sign(const struct sigv4_input *input, const struct str *canonical,
                 const char *date, const char *scope, char hex[2 * SHA256_LEN + 1])
{
    uint8_t digest[SHA256_LEN], key[SHA256_LEN];
    char day[9];
    struct str text;

    crypto_sha256(str_slice(canonical), digest);
    crypto_hex(digest, SHA256_LEN, hex);
    str_init(&text, KIB);
    str_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, hex);
    memcpy(day, date, 8);
    day[8] = '\0';
    signing_key(input, day, key);
    crypto_hmac_sha256(slice_of(key, SHA256_LEN), str_slice(&text), digest);
    crypto_hex(digest, SHA256_LEN, hex);
    explicit_bzero(key, sizeof(key));
    str_fini(&text);
}

int sigv4_sign(const struct sigv4_input *input, struct sigv4_output *output)
{
    struct str canonical, query, names;
    char scope[SCOPE_SIZE], hex[2 * SHA256_LEN + 1];
    time_t seconds = (time_t)(input->wall_ms / 1000);
    struct tm tm;

    memset(output, 0, sizeof(*output));
    str_init(&output->target, TEXT_MAX_BYTES);
    str_init(&output->authorization, TEXT_MAX_BYTES);
    if (input->param_count > SIGV4_PAIRS_MAX || input->header_count > SIGV4_PAIRS_MAX)
        return ERR_TOO_LARGE;
    gmtime_r(&seconds, &tm);
    strftime(output->date, sizeof(output->date), "%Y%m%dT%H%M%SZ", &tm);
    int n = snprintf(scope, sizeof(scope), "%.8s/%s/%s/aws4_request", output->date,
                     input->region, input->service);
    str_init(&canonical, TEXT_MAX_BYTES);
    str_init(&query, TEXT_MAX_BYTES);
    str_init(&names, TEXT_MAX_BYTES);
    sigv4_encode(input->path, true, &output->target);
    canonical_query(input, &query);
    str_printf(&canonical, "%s\n%s\n%s\n", input->method, str_cstr(&output->target),
               str_cstr(&query));
    canonical_headers(input, output->date, &canonical, &names);
    str_printf(&canonical, "\n%s\n%s", str_cstr(&names), input->payload_hash);
    sign(input, &canonical, output->date, scope, hex);
    str_printf(&output->authorization,
               "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
               input->access_key, scope, str_cstr(&names), hex);
    if (query.len > 0)
        str_printf(&output->target, "?%s", str_cstr(&query));
    bool overflow = n < 0 || (size_t)n >= sizeof(scope) || canonical.overflowed ||
                    output->target.overflowed || output->authorization.overflowed;
    str_fini(&canonical);
    str_fini(&query);
    str_fini(&names);
    return overflow ? ERR_TOO_LARGE : 0;
}

void sigv4_fini(struct sigv4_output *output)
{
    str_fini(&output->target);
    str_fini(&output->authorization);
}
