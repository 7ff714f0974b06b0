"""The commands that the pages (*.md) of this tree name in their sentences and tables.

What stands in a block of its own is run by the tests of that page; a command in the middle
of a sentence is held to the program's own --help here.
"""

import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)
# The last one is for programs: its texts begin like commands, and are none.
NO_PAGES = r"(tests|build|\.[a-z_]+)/|proto/control_api\.md"
# What stands for a reader's own.
PLACEHOLDERS = {"GROUP": "topic", "COMMAND": "list"}


def pages():
    """All of the tree but those about its tests, by their names."""
    found = (str(p.relative_to(ROOT)) for p in ROOT.rglob("*.md"))
    return sorted(p for p in found if not re.match(NO_PAGES, p))


def spans(page):
    """What stands in `...` outside of blocks, a line each."""
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    text = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def commands(page, programs):
    """The words of each command in PAGE's sentences that begins with one of PROGRAMS."""
    for span in spans(page):
        for part in re.split(r" && ", span):
            words = shlex.split(part) if part.split(" ")[0] in programs else []
            if len(words) > 1:
                yield words


def alternatives(words):
    """`weft group list|show` is two commands."""
    for i, word in enumerate(words):
        if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", word):
            return [[*words[:i], one, *words[i + 1:]] for one in word.split("|")]
    return [words]


def help_of(*words):
    """What a program prints for --help, or None."""
    done = subprocess.run([*words, "--help"], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


def options_missing(words, text):
    """The options in WORDS that TEXT, a --help, does not know."""
    named = [word.split("=")[0] for word in words if word.startswith("--")]
    return [name for name in named
            if name != "--help" and not re.search(rf"{name}(?![\w-])", text)]


def fault_of_weft(weft, words):
    """What is wrong with `weft WORDS`, or None: its command, its options, how many arguments."""
    words = [PLACEHOLDERS.get(word, word) for word in words]
    path = []
    for word in words:
        text = help_of(weft, *path, word)
        if word.startswith("-") or not text or \
                not re.match(rf"usage: weft {' '.join([*path, word])}( |\n)", text):
            break
        path.append(word)
    text = help_of(weft, *path)
    if not path and words[0] != "--help":
        return f"there is no command {words[0]}"
    rest = words[len(path):]
    if rest and not rest[0].startswith("-") and " COMMAND" in text.splitlines()[0]:
        return f"there is no command {' '.join([*path, rest[0]])}"
    missing = options_missing(rest, text + help_of(weft))
    if missing:
        return f"no option {missing}"
    wanted = re.findall(r" \[?[A-Z][A-Z-]*\]?", text.splitlines()[0])
    given = []
    for word in rest:
        if word.startswith("-"):
            break  # what follows may be an option's value
        given.append(word)
    if len(given) > len(wanted):
        return f"too many arguments: {given}"
    return None
