/* fuzz_s3xml.c - what S3, STS and the metadata services answer.
 *
 * The first byte chooses the reader, the rest is the answer:
 *   L list   E error   S STS keys   J JSON keys   H headers   X every event of the reader
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/credentials.h"
#include "common/mem.h"
#include "common/s3_answer.h"
#include "common/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void read_list(struct slice body)
{
    struct s3_list list;
    struct err err;
    if (s3_list_parse(body, &list, &err) != 0)
        return;
    must(list.count <= S3_LIST_MAX && (list.count > 0 || !list.truncated));
    for (size_t i = 0; i < list.count; i++)
        must(strlen(list.entries[i].key) <= S3_KEY_MAX);
    s3_list_free(&list);
}

static void read_error(struct slice body)
{
    struct s3_error error;
    s3_error_parse(body, &error);
    for (const char *p = error.message; *p != '\0'; p++)
        must(*p >= 0x20 && *p < 0x7f);
    must(strlen(error.code) < sizeof(error.code));
}

static void read_keys(struct slice body, bool json)
{
    struct aws_keys keys;
    struct err err;
    int code = json ? credentials_parse_json(body, &keys, &err)
                    : credentials_parse_sts(body, &keys, &err);
    if (code != 0)
        return;
    must(keys.access_key[0] != '\0' && keys.secret_key[0] != '\0');
    /* They go into a header line. */
    must(strpbrk(keys.session_token, "\r\n ") == NULL);
    must(strpbrk(keys.access_key, "\r\n ") == NULL);
}

static void read_headers(struct slice headers)
{
    char value[32];
    int64_t ms;
    if (!s3_header(headers, "date", value, sizeof(value)))
        return;
    must(strpbrk(value, "\n") == NULL);
    (void)!s3_parse_http_date(value, &ms);
    (void)!s3_parse_time(value, &ms);
}

static void read_events(struct slice body)
{
    struct xml xml;
    char text[64];
    unsigned depth = 0;
    xml_init(&xml, body);
    for (size_t events = 0;; events++) {
        must(events <= 2 * body.len + 2);
        switch (xml_next(&xml)) {
        case XML_BEGIN:
            depth++;
            must(xml.depth == depth && slice_eq(xml.name, xml_open_name(&xml, depth)));
            break;
        case XML_FINISH:
            must(xml.depth == depth && depth > 0);
            depth--;
            break;
        case XML_TEXT:
            must(xml.depth == depth && xml.text.len > 0);
            if (xml_unescape(xml.text, text, sizeof(text)))
                must(strlen(text) <= xml.text.len);
            break;
        case XML_END:
            must(depth == 0);
            must(xml_next(&xml) == XML_END);
            return;
        case XML_BAD:
            must(xml_next(&xml) == XML_BAD);
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice rest = slice_of(data + 1, size - 1);
    switch (data[0]) {
    case 'L':
        read_list(rest);
        break;
    case 'E':
        read_error(rest);
        break;
    case 'S':
    case 'J':
        read_keys(rest, data[0] == 'J');
        break;
    case 'H':
        read_headers(rest);
        break;
    default:
        read_events(rest);
        break;
    }
    return 0;
}
