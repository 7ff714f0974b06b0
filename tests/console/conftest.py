"""What the tests of the console share: a browser, and a cluster in which things happen."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from browser import Browser  # noqa: E402
from world import World  # noqa: E402


@pytest.fixture(scope="session")
def browser():
    """The Chromium of this worker."""
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A live cluster: agents in three zones, topics, producers, groups that lag."""
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world
