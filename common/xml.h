/* xml.h - a pull reader for the small XML answers of S3 and STS.
 *
 * Names without their namespace prefix, text with its entities resolved, attributes
 * skipped. No DTD, so no entities but the five and character references; no CDATA.
 * Everything borrows from the input; depth is bounded. A document that is cut off is
 * an error, never an end. */
#ifndef COMMON_XML_H
#define COMMON_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/slice.h"

#define XML_DEPTH_MAX 12

enum xml_event {
    XML_BEGIN,  /* of an element: name */
    XML_TEXT,   /* raw text between tags; never empty */
    XML_FINISH, /* of an element: name */
    XML_END,    /* of the document */
    XML_BAD,    /* malformed; stays so */
};

struct xml {
    /* private */
    const char *at, *end;
    struct slice open[XML_DEPTH_MAX]; /* names with prefix, as in the begin tags */
    bool pending_finish;              /* of <name/> */
    bool finished;                    /* the last event was XML_FINISH */
    bool bad, seen_root;
    /* of the last event */
    unsigned depth; /* of the element that begins, finishes or holds the text; root: 1 */
    struct slice name; /* without prefix */
    struct slice text; /* raw */
};

void xml_init(struct xml *xml, struct slice document);
enum xml_event xml_next(struct xml *xml);
/* The name of the open element at DEPTH (root: 1), without prefix; null if none. */
struct slice xml_open_name(const struct xml *xml, unsigned depth);
/* RAW with entities resolved as a string in OUT of SIZE; false when it does not fit, an
 * entity is unknown, or a NUL would come out. */
bool xml_unescape(struct slice raw, char *out, size_t size) MUST_CHECK;

#endif
