"""Prometheus' text format, read strictly.

    families = parse(text)
    families["weft_agent_ready"].samples == [({}, 1.0)]
"""

import dataclasses
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = ("_bucket", "_sum", "_count")


@dataclasses.dataclass
class Family:
    """One metric: its type, its help, and a (labels, value) for each series; of a histogram
    the buckets are left out, and `counts` has the number of observations."""
    name: str
    help: str
    type: str = None
    samples: list = dataclasses.field(default_factory=list)
    buckets: list = dataclasses.field(default_factory=list)

    def labels(self):
        """The names of its labels, of which every series has the same."""
        found = {tuple(sorted(labels)) for labels, _ in self.samples}
        assert len(found) <= 1, (self.name, found)
        return set(found.pop()) if found else set()


def parse_labels(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"not labels: {text}"
        assert match[1] not in labels, text
        labels[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        at = match.end()
    return labels


def family_of(name, families):
    """The family that a sample of this name belongs to."""
    if name in families:
        return families[name]
    for suffix in SUFFIXES:
        base = name.removesuffix(suffix)
        if base != name and base in families and families[base].type == "histogram":
            return families[base]
    raise AssertionError(f"{name} has no HELP and TYPE before it")


def parse(text):
    """The families by name; every sample belongs to one, none comes twice."""
    families, seen = {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, meaning = line.split(" ", 3)
            assert name not in families, f"{name} comes twice"
            families[name] = Family(name, meaning)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            families[name].type = kind
        else:
            match = SAMPLE.match(line)
            assert match, f"not a sample: {line}"
            name, labels, value = match[1], parse_labels(match[2] or ""), float(match[3])
            key = (name, tuple(sorted(labels.items())))
            assert key not in seen, f"twice: {line}"
            seen.add(key)
            family = family_of(name, families)
            if family.type != "histogram":
                family.samples.append((labels, value))
            elif name.endswith("_bucket"):
                family.buckets.append((labels, value))
            elif name.endswith("_count"):
                family.samples.append((labels, value))
    return families
