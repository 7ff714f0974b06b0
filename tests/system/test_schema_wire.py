"""The raw client of the tests reads what a real Kafka has written (tests/golden)."""

import re

import pytest

from cluster import ROOT
from schema_wire import apis, decode

GOLDEN = ROOT / "tests" / "golden"


@pytest.mark.parametrize("name", sorted(apis()))
def test_golden_responses(name):
    """Every golden response is read to its last byte."""
    paths = list((GOLDEN / name).glob("v*-response-*.bin"))
    assert paths
    for path in paths:
        version = int(re.match(r"v(\d+)-", path.name).group(1))
        assert decode(name, version, path.read_bytes())[1]
