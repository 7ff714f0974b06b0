/* render.h - values for programs: JSON with indentation, and YAML 1.2.
 *
 * The YAML is a subset that YAML 1.1 readers understand alike: block style, strings in
 * double quotes unless they are plain words beyond doubt, so that "no", "1.10" and
 * "2026-01-31" stay strings. Both forms escape control characters, also those that JSON
 * would let through (U+007F to U+009F): they could steer a terminal. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "common/json.h"
#include "common/str.h"

/* Room for one value. */
#define RENDER_MAX (512 * 1024 * 1024)

/* Append VALUE as JSON, nested lines indented by DEPTH times 2; no newline at the end. */
void render_json(const struct json *value, unsigned depth, struct str *out);
/* Append VALUE as YAML lines, each ended, indented by DEPTH times 2. */
void render_yaml(const struct json *value, unsigned depth, struct str *out);
/* The same as an element of a list: "- " in front. */
void render_yaml_item(const struct json *value, unsigned depth, struct str *out);

#endif
