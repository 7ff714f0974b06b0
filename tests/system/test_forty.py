"""The table of the forty semantics (tests/forty.md) names tests that there are."""

import re

import pytest

from cluster import ROOT

TESTS = ROOT / "tests"
ITEMS = range(1, 37)


def rows():
    """{item: [(path, test)...]} of the table."""
    found = {}
    for line in (TESTS / "forty.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].isdigit():
            assert int(cells[0]) not in found, f"item {cells[0]} stands twice"
            found[int(cells[0])] = re.findall(r"`([\w/.]+)::(\w+)`", cells[2])
    return found


def is_there(path, test):
    """True if the file has a test of that name, and runs it."""
    if not (TESTS / path).exists():
        return False
    text = (TESTS / path).read_text()
    if path.endswith(".py"):
        return re.search(rf"^def {test}\(", text, re.MULTILINE) is not None
    # Its definition, and its row in the table of tests.
    return len(re.findall(rf"\b{test}\b", text)) >= 2


def test_items():
    """Every item from 1 to 36 is in the table, once."""
    assert sorted(rows()) == list(ITEMS)


@pytest.mark.parametrize("item", ITEMS)
def test_tests_of_item(item):
    """An item has tests, and each of them is there."""
    named = rows()[item]
    assert named
    missing = [f"{path}::{test}" for path, test in named if not is_there(path, test)]
    assert not missing


def test_missing_tests_are_found():
    """A test that is not there is missed."""
    assert not is_there("system/test_forty.py", "test_of_nothing")
    assert not is_there("system/no_such_file.py", "test_items")
    assert is_there("unit/test_codec.c", "test_tags")
