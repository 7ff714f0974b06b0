"""Options and fixtures of all pytest tests.

    --target weft     a Weft cluster of two agents and one control plane (default)
    --target kafka    a real Apache Kafka broker, for tests whose expected answers must
                      be Kafka's own

A cluster serves a whole session: tests make topics of their own and leave the rest alone.
A test that stops or kills processes uses `new_cluster` and has one for itself.

scripts/test runs several workers (pytest-xdist, `-n 3 --dist loadgroup`). The tests of a
file stay with one worker, in order, and share what the file's fixtures start; those of a
file with SPREAD = True start all they need themselves and go to whoever is free. Files with
LONG = True take minutes and begin first, so that no worker is left alone with one.
"""

import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))

from cluster import Cluster  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--target", choices=("weft", "kafka"), default="weft",
                     help="what the tests talk to")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not getattr(item.module, "LONG", False))
    for item in items:
        if not getattr(item.module, "SPREAD", False):
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(scope="session")
def target(request):
    """weft or kafka."""
    return request.config.getoption("--target")


@pytest.fixture(scope="session")
def cluster(target, tmp_path_factory):
    """The cluster that the tests of this session share.

    Its agents seal objects sooner than by default: hundreds of small produce requests,
    each waiting for its answer, would else take most of the time."""
    with Cluster(tmp_path_factory.mktemp("cluster"), target=target,
                 agent_set={"flush-interval": "50ms"}) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def bootstrap(cluster):
    """The shared cluster's address, as clients take it."""
    return cluster.bootstrap


@pytest.fixture
def new_cluster(target, tmp_path):
    """A function that starts a cluster, with Cluster's options, for one test."""
    clusters = []

    def start(**options):
        directory = tmp_path / f"cluster-{len(clusters) + 1}"
        clusters.append(Cluster(directory, target=options.pop("target", target), **options))
        return clusters[-1].up()

    yield start
    for cluster in clusters:
        cluster.down()


_serial = itertools.count(1)


@pytest.fixture
def new_name(request):
    """A function that gives names of topics nobody has used."""
    base = "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]
    return lambda: f"{base}-{next(_serial)}"
