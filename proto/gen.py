#!/usr/bin/env python3
"""Make kafka_gen.h and kafka_gen.c from kafka/*.schema.

    proto/gen.py            write both files
    proto/gen.py --check    exit 1 if they are not what would be written
    proto/gen.py --list     one line per field and version, to compare with other sources

The notation is described in README.md beside this file. Only the Python standard library
is used, and the order of everything is fixed, so that the output is reproducible.
"""

import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
INDENT = 4
COLUMNS = 90

# Type in a schema -> (C type, table type).
SCALARS = {
    "bool": ("bool", "CODEC_BOOL"),
    "int8": ("int8_t", "CODEC_INT8"),
    "int16": ("int16_t", "CODEC_INT16"),
    "int32": ("int32_t", "CODEC_INT32"),
    "int64": ("int64_t", "CODEC_INT64"),
    "uint16": ("uint16_t", "CODEC_UINT16"),
    "float64": ("double", "CODEC_FLOAT64"),
    "uuid": ("struct uuid", "CODEC_UUID"),
    "string": ("struct slice", "CODEC_STRING"),
    "bytes": ("struct slice", "CODEC_RECORDS"),
    "records": ("struct slice", "CODEC_RECORDS"),
    "slices": ("struct slice_list", "CODEC_SLICES"),
}
NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint16", "float64")
NEVER_FLEXIBLE = "CODEC_VERSION_NONE"


class SchemaError(Exception):
    """The schema says something that cannot be; the text names file and line."""


def parse_versions(text, api_max):
    """'3', '3-7' or '3+' as (min, max)."""
    match = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
    if not match:
        raise ValueError(f"bad versions {text!r}")
    low = int(match[1])
    if match[2]:
        return low, api_max
    return low, int(match[3]) if match[3] else low


class Field:
    def __init__(self, api, words):
        self.name, type_name = words[0], words[1]
        self.array = type_name.startswith("[]")
        self.type = type_name.removeprefix("[]")
        self.is_struct = self.type not in SCALARS
        self.versions = (api.min, api.max)
        self.null_from = None
        self.tag = None
        self.default = None
        self.strict = self.hidden = False
        self.fields = []
        rest = words[2:]
        if rest and rest[0][0].isdigit():
            self.versions = parse_versions(rest.pop(0), api.max)
        for option in rest:
            self.set_option(api, option)
        if self.null_from is not None and self.type in NUMBERS and not self.array:
            raise ValueError("a number cannot be null")

    def set_option(self, api, option):
        key, _, value = option.partition("=")
        if key == "null":
            self.null_from = parse_versions(value, api.max)[0] if value else 0
        elif key == "tag":
            self.tag = int(value)
        elif key == "default":
            if self.type not in NUMBERS or self.array:
                raise ValueError("only numbers have defaults")
            self.default = value
        elif option == "strict":
            self.strict = True
        elif option == "hidden":
            self.hidden = True
        else:
            raise ValueError(f"unknown option {option!r}")

    @property
    def pointer_struct(self):
        return self.is_struct and not self.array and self.null_from is not None


class Api:
    """One schema file: an API's request and response, or the messages that a field of
    another API embeds (key is None)."""

    def __init__(self, path):
        self.path = path
        self.key = self.ident = self.name = None
        self.min = self.max = self.flexible = self.advertise = None
        self.messages = {}
        stack = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            text = line.split("#")[0].rstrip()
            if not text:
                continue
            try:
                self.parse_line(text, stack)
            except (ValueError, IndexError) as error:
                raise SchemaError(f"{path.name}:{number}: {error}") from error
        if self.advertise is None:
            self.advertise = self.min
        for kind in () if self.key is None else ("request", "response"):
            if kind not in self.messages:
                raise SchemaError(f"{path.name}: no {kind}")
        for kind, fields in self.messages.items():
            self.share_structs(kind, fields, {})

    def share_structs(self, kind, fields, known):
        """A struct without fields is the one of that name before it."""
        for field in fields:
            if not field.is_struct:
                continue
            if field.fields and field.type in known:
                raise SchemaError(f"{self.path.name}: {kind}: two structs {field.type}")
            if field.fields:
                self.share_structs(kind, field.fields, known)
                known[field.type] = field.fields
            elif field.type in known:
                field.fields = known[field.type]
            else:
                raise SchemaError(f"{self.path.name}: {kind}: {field.type} has no fields")

    def parse_line(self, text, stack):
        depth, odd = divmod(len(text) - len(text.lstrip()), INDENT)
        words = text.split()
        if odd:
            raise ValueError(f"indent is not a multiple of {INDENT}")
        if depth == 0:
            self.parse_top(words, stack)
            return
        if depth > len(stack):
            raise ValueError("indented under nothing")
        del stack[depth:]
        field = Field(self, words)
        stack[-1].append(field)
        if field.is_struct:
            stack.append(field.fields)

    def parse_top(self, words, stack):
        if words[0] == "api":
            self.key, self.ident, self.name = int(words[1]), words[2], words[3]
        elif words[0] == "embedded":
            self.ident, self.name = words[1], words[2]
        elif words[0] == "versions":
            self.min, self.max = parse_versions(words[1], 0)
        elif words[0] == "flexible":
            self.flexible = NEVER_FLEXIBLE if words[1] == "none" else int(words[1])
        elif words[0] == "advertise":
            self.advertise = int(words[1])
        elif words[0] in ("request", "response") if self.key is not None else self.ident:
            self.messages[words[0]] = []
            stack[:] = [self.messages[words[0]]]
        else:
            raise ValueError(f"unknown word {words[0]!r}")


def served(apis):
    """Those with a key, not the embedded ones."""
    return [api for api in apis if api.key is not None]


def structs_of(prefix, fields):
    """(C name, fields) of a message's structs, inner ones first, each once."""
    found = {}
    for field in fields:
        if field.is_struct:
            field.c_struct = f"{prefix}_{field.type}"
            for name, inner in structs_of_named(prefix, field):
                found.setdefault(name, inner)
    return list(found.items())


def structs_of_named(prefix, field):
    inner = structs_of(prefix, field.fields)
    return inner + [(field.c_struct, field.fields)]


def wire_order(fields):
    """Plain fields as they stand, then the tagged ones by tag."""
    plain = [field for field in fields if field.tag is None]
    tagged = sorted((f for f in fields if f.tag is not None), key=lambda f: f.tag)
    return plain, tagged


def c_type(field):
    return f"struct {field.c_struct}" if field.is_struct else SCALARS[field.type][0]


def member_lines(field):
    if field.array:
        return [f"{c_type(field)} *{field.name};", f"size_t {field.name}_count;"]
    star = "*" if field.pointer_struct else ""
    return [f"{c_type(field)} {star}{field.name};"]


def c_number(field):
    """A default as C, without the literals that C cannot write."""
    special = {
        "-2147483648": "INT32_MIN",
        "2147483647": "INT32_MAX",
        "9223372036854775807": "INT64_MAX",
    }
    return special.get(field.default, field.default)


def default_inits(fields):
    """Initialisers of the members whose default is not zero."""
    inits = []
    for field in fields:
        if field.default is not None:
            inits.append(f".{field.name} = {c_number(field)}")
        elif field.is_struct and not field.array and not field.pointer_struct:
            inner = default_inits(field.fields)
            if inner:
                inits.append(f".{field.name} = {{{', '.join(inner)}}}")
    return inits


def emit_struct(name, fields, notes):
    lines = [f"struct {name} {{"]
    for field in fields:
        members = member_lines(field)
        lines.append(f"    {members[0]}{notes(field)}")
        lines += [f"    {line}" for line in members[1:]]
    lines += ["};"]
    return lines


def version_note(api):
    def notes(field):
        words = []
        low, high = field.versions
        if (low, high) != (api.min, api.max):
            if high == api.max:
                words.append(f"v{low}+")
            else:
                words.append(f"v{low}" if low == high else f"v{low}-{high}")
        if field.null_from is not None:
            words.append("nullable" if field.null_from <= low
                         else f"nullable v{field.null_from}+")
        if field.default is not None:
            words.append(f"default {field.default}")
        return f" /* {', '.join(words)} */" if words else ""
    return notes


def emit_header(apis):
    out = [
        "/* kafka_gen.h - the Kafka messages as C structs. Made by gen.py from",
        " * the schemas in kafka/: do not edit. codec.h says how the values look. */",
        "#ifndef PROTO_KAFKA_GEN_H",
        "#define PROTO_KAFKA_GEN_H",
        "",
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        '#include "common/slice.h"',
        '#include "common/uuid.h"',
        '#include "proto/codec.h"',
        "",
        "enum kafka_api_key {",
    ]
    out += [f"    KAFKA_{api.ident.upper()} = {api.key}," for api in served(apis)]
    out += ["};", ""]
    for api in apis:
        high = f"-{api.max}" if api.max != api.min else ""
        key = "embedded" if api.key is None else f"key {api.key}"
        out += [f"/* ---- {api.name}, {key}, versions {api.min}{high} ---- */", ""]
        for kind, fields in api.messages.items():
            prefix = f"{api.ident}_{kind}"
            structs = structs_of(prefix, fields) + [(prefix, fields)]
            for name, members in structs:
                out += emit_struct(name, members, version_note(api))
                out += [f"extern const struct {name} {name}_defaults;",
                        f"extern const struct codec_struct {name}_type;", ""]
            out += [f"extern const struct codec_message {prefix}_message;", ""]
    out += [
        "/* What header.h knows of an API. */",
        "struct kafka_api {",
        "    const char *name;",
        "    const struct codec_message *request;",
        "    const struct codec_message *response;",
        "    int16_t key;",
        "    int16_t min_version, max_version; /* that we speak */",
        "    int16_t advertised_min;           /* what ApiVersions says: KAFKA-18659 */",
        "    int16_t flexible_from;",
        "};",
        "",
        f"#define KAFKA_API_COUNT {len(served(apis))}",
        "extern const struct kafka_api kafka_apis[KAFKA_API_COUNT]; /* by key */",
        "",
        "#endif",
    ]
    return out


def wrapped(line):
    """LINE cut at spaces into lines of the house's width."""
    return textwrap.wrap(line, COLUMNS, initial_indent="    ", subsequent_indent=" " * 5,
                         break_long_words=False, break_on_hyphens=False)


def emit_row(field, api):
    """One field as a row of the table; the macro T names its struct."""
    sub = f"&{field.c_struct}_type" if field.is_struct else "NULL"
    kind = "CODEC_STRUCT" if field.is_struct else SCALARS[field.type][1]
    count = f"AT({field.name}_count)" if field.array else "0"
    null = "NEVER" if field.null_from is None else str(field.null_from)
    tag = -1 if field.tag is None else field.tag
    flags = [flag for flag, on in (("CODEC_ARRAY", field.array),
                                   ("CODEC_STRICT", field.strict),
                                   ("CODEC_HIDDEN", field.hidden)) if on]
    high = "LAST" if field.versions[1] == api.max else str(field.versions[1])
    return wrapped(f'{{"{field.name}", {sub}, AT({field.name}), {count}, '
                   f"{field.versions[0]}, {high}, {null}, {tag}, {kind}, "
                   f"{' | '.join(flags) or '0'}}},")


def emit_tables(api):
    out = [f"/* ---- {api.name} ---- */", ""]
    for kind, fields in api.messages.items():
        prefix = f"{api.ident}_{kind}"
        for name, members in structs_of(prefix, fields) + [(prefix, fields)]:
            plain, tagged = wire_order(members)
            inits = ", ".join(default_inits(members)) or "0"
            out += [f"const struct {name} {name}_defaults = {{"] + wrapped(inits) + ["};"]
            if members:
                out += [f"#define T {name}",
                        f"static const struct codec_field {name}_fields[] = {{"]
                for field in plain + tagged:
                    out += emit_row(field, api)
                out += ["};", "#undef T"]
            rows = f"{name}_fields" if members else "NULL"
            out += [
                f"const struct codec_struct {name}_type = {{",
                *wrapped(f'"{name}", {rows}, &{name}_defaults, '
                         f"sizeof(struct {name}), {len(members)}, {len(plain)}}};"),
                "",
            ]
        out += [
            f"const struct codec_message {prefix}_message = {{",
            f'    "{prefix}", &{prefix}_type, {-1 if api.key is None else api.key},'
            f" {api.min}, {api.max},"
            f" {api.flexible}}};",
            "",
        ]
    return out


def emit_source(apis):
    out = [
        "/* kafka_gen.c - a row for each field of the Kafka messages. Made by gen.py from",
        " * the schemas in kafka/: do not edit. codec.h has the columns. */",
        '#include "proto/kafka_gen.h"',
        "",
        "/* clang-format off */",
        "#define AT(member) ((uint16_t)offsetof(struct T, member))",
        "#define LAST INT16_MAX",
        "#define NEVER CODEC_VERSION_NONE",
        "",
    ]
    for api in apis:
        out += emit_tables(api)
    out += ["const struct kafka_api kafka_apis[KAFKA_API_COUNT] = {"]
    for api in served(apis):
        out.append(f'    {{"{api.name}", &{api.ident}_request_message, '
                   f"&{api.ident}_response_message, {api.key}, {api.min}, {api.max}, "
                   f"{api.advertise}, {api.flexible}}},")
    out += ["};", "/* clang-format on */"]
    return out


def list_fields(api, kind, version, fields, path):
    plain, tagged = wire_order(fields)
    for field in plain + tagged:
        low, high = field.versions
        if not low <= version <= high:
            continue
        null = field.null_from is not None and version >= field.null_from
        kind_name = "struct" if field.is_struct else field.type
        text = ("?" if null else "") + ("[]" if field.array else "") + kind_name
        tag = "" if field.tag is None else f" tag={field.tag}"
        print(f"{api.name} {kind} v{version} {path}.{field.name} {text}{tag}")
        list_fields(api, kind, version, field.fields, f"{path}.{field.name}")


def main():
    paths = sorted((HERE / "kafka").glob("*.schema"))
    try:
        apis = sorted((Api(path) for path in paths),
                      key=lambda api: (api.key is None, api.key or 0, api.ident))
    except SchemaError as error:
        sys.exit(str(error))
    if sys.argv[1:] == ["--list"]:
        for api in apis:
            for kind, fields in api.messages.items():
                for version in range(api.min, api.max + 1):
                    list_fields(api, kind, version, fields, "")
        return
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    stale = False
    for name, emit in (("kafka_gen.h", emit_header), ("kafka_gen.c", emit_source)):
        path = HERE / name
        text = "\n".join(emit(apis)) + "\n"
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text() != text:
                print(f"proto/{name} is not what gen.py makes: run `make gen`")
                stale = True
        elif not path.exists() or path.read_text() != text:
            path.write_text(text)
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
