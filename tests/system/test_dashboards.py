"""The dashboards: what Grafana needs of their JSON, and that every query of every panel and
every variable has data on a live cell under load, asked of a real Prometheus."""

import json
import math
import pathlib
import re
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from busy_cluster import BusyCluster  # noqa: E402
from prometheus import SCRAPE_S, Prometheus  # noqa: E402

DASHBOARDS = pathlib.Path(__file__).resolve().parents[2] / "monitoring" / "dashboards"
FILES = sorted(DASHBOARDS.glob("*.json"))
UNITS = {"none", "short", "s", "bytes", "Bps", "ops", "reqps", "percentunit", "currencyUSD"}
DATA_LIMIT_S = 120
# What Grafana makes of its own variables, at one scrape a second.
OF_GRAFANA = {"__rate_interval": f"{15 * SCRAPE_S}s"}


def load(path):
    return json.loads(path.read_text())


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board):
    """Every expression, with its panel's title."""
    return [(panel["title"], target["expr"]) for panel in panels(board)
            for target in panel["targets"]]


def query_variables(board):
    return [v for v in board["templating"]["list"] if v["type"] == "query"]


def values_of(variable, prometheus):
    """What Grafana offers for VARIABLE."""
    match = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
    return prometheus.label_values(match[2], match[1])


def fill(expression, values):
    """EXPRESSION as Grafana would send it, with all values of each variable chosen."""
    def value(match):
        # A backslash in a text of PromQL is written twice.
        return OF_GRAFANA.get(match[1]) or \
            "|".join(re.escape(one).replace("\\", "\\\\") for one in values[match[1]])
    return re.sub(r"\$(\w+)", value, expression)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_json(path):
    """Ids are unique, nothing overlaps, no data source is hard-wired, every variable is used,
    every panel has a title, a unit and queries."""
    board = load(path)
    assert board["schemaVersion"] >= 36 and board["uid"] and board["title"]
    assert "id" not in board, "an id is of one Grafana"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    titles = [panel["title"] for panel in board["panels"]]
    assert len(titles) == len(set(titles))
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    sources = {json.dumps(found) for found in find_all(board, "datasource")}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    first = board["templating"]["list"][0]
    assert (first["name"], first["type"], first["query"]) == \
        ("datasource", "datasource", "prometheus")
    used = set(re.findall(r"\$(\w+)", " ".join(expr for _, expr in queries(board))))
    assert used - set(OF_GRAFANA) == {v["name"] for v in query_variables(board)}
    for panel in panels(board):
        assert panel["targets"] and panel["fieldConfig"]["defaults"]["unit"] in UNITS
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))


def find_all(value, key):
    """All members of this name, at whatever depth."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == key:
                yield member
            else:
                yield from find_all(member, key)
    elif isinstance(value, list):
        for member in value:
            yield from find_all(member, key)


def test_both_are_there():
    assert [path.stem for path in FILES] == ["customer", "vendor"]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """A Prometheus that has scraped a busy cell for a while."""
    directory = tmp_path_factory.mktemp("dashboards")
    with BusyCluster(directory / "cell", control_plane_set={"metrics-clusters": "5"}) as busy, \
            Prometheus(directory / "prometheus", busy.jobs()) as prometheus:
        yield prometheus


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_queries_have_data(scraped, path):
    """Each query gives at least one number, each variable at least one value."""
    board = load(path)

    def missing():
        values = {v["name"]: values_of(v, scraped) for v in query_variables(board)}
        found = [f"${name}" for name, known in values.items() if not known]
        if found:
            return found
        for title, expression in queries(board):
            result = scraped.query(fill(expression, values))
            if not any(math.isfinite(float(one["value"][1])) for one in result):
                found.append(f"{title}: {expression}")
        return found

    until = time.monotonic() + DATA_LIMIT_S
    while left := missing():
        assert time.monotonic() < until, "no data:\n" + "\n".join(left)
        time.sleep(1)
