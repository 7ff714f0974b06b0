"""What both programs tell Prometheus: the page that lists it, and what a live cell shows,
agree exactly; it is what Prometheus' own tool calls clean; it costs little."""

import pathlib
import re
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from busy_cluster import TOPICS, BusyCluster  # noqa: E402
from prometheus import tool  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "monitoring" / "metrics.md"
ROW = re.compile(r"\| `([a-z_0-9]+)` \| (counter|gauge|histogram) \| ([^|]*) \| (.+) \|$")
PROGRAMS = {"weft-agent": "agent-1", "weft-controlplane": None}
SCRAPE_LIMIT_S = 60


def documented():
    """{section of the page: {name: (type, labels, meaning)}}."""
    found, section = {}, None
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = found.setdefault(line[3:], {})
        match = ROW.match(line)
        if match:
            assert match[1] not in section, line
            section[match[1]] = (match[2], set(re.findall(r"`(\w+)`", match[3])), match[4])
        else:
            assert not line.startswith("| `"), f"not a row: {line}"
    return found


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A cell with load, in which everything that can have a series has one."""
    with BusyCluster(tmp_path_factory.mktemp("busy"),
                     control_plane_set={"metrics-clusters": "5"}) as busy:
        until = time.monotonic() + SCRAPE_LIMIT_S
        while not ready(busy):
            assert time.monotonic() < until, "not everything is measured"
            time.sleep(0.5)
        yield busy


def ready(busy):
    """A group's lag was asked for, agents have reported, a follower was heard of."""
    agents = [busy.scrape(f"agent-{i + 1}") for i in range(2)]
    leader = busy.scrape(busy.leader())
    return (any(a["weft_agent_group_lag_records"].samples for a in agents)
            and len(leader["weft_controlplane_node_silence_seconds"].samples) == 3
            and any(value > 0 for _, value in
                    leader["weft_controlplane_cluster_fetched_bytes_per_second"].samples))


def shown(busy, program):
    """What the program shows: of the agents together, since each group is told by one."""
    names = [busy.leader()] if program == "weft-controlplane" else ["agent-1", "agent-2"]
    families = busy.scrape(names[0])
    for name in names[1:]:
        for family in busy.scrape(name).values():
            families[family.name].samples += family.samples
    return families


@pytest.mark.parametrize("program", PROGRAMS)
def test_page_and_program_agree(busy, program):
    """Every metric is on the page with its type, labels and meaning, and nothing else is."""
    page = documented()
    expected = page[program] | page["Both"]
    found = {name: (family.type, family.labels(), family.help)
             for name, family in shown(busy, program).items()}
    assert found == expected
    for name, family in shown(busy, program).items():
        assert family.samples, f"{name} shows nothing"


@pytest.mark.parametrize("program", PROGRAMS)
def test_promtool_finds_nothing(busy, program):
    """`promtool check metrics` has no remark: names, units, suffixes and help are as the
    conventions want them."""
    text = busy.text(PROGRAMS[program] or busy.leader())
    done = subprocess.run([tool("promtool"), "check", "metrics"], input=text, text=True,
                          capture_output=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_moves(busy):
    """Counters move with the load, taking both agents together; histograms count what they
    are named for."""
    moving = ["weft_agent_produce_bytes_total", "weft_agent_produce_seconds",
              "weft_agent_fetch_seconds", "weft_agent_put_seconds", "weft_agent_get_seconds",
              "weft_agent_commit_seconds", "weft_agent_object_bytes",
              "weft_agent_object_open_seconds", "weft_agent_object_upload_wait_seconds",
              "weft_agent_object_commit_wait_seconds", "weft_agent_store_cost_dollars_total",
              "weft_agent_topic_produced_bytes_total", "weft_agent_topic_fetched_records_total",
              "process_cpu_seconds_total"]

    def values():
        found = shown(busy, "weft-agent")
        return {name: sum(v for _, v in found[name].samples) for name in moving}

    before, until = values(), time.monotonic() + SCRAPE_LIMIT_S
    while stuck := [name for name, v in values().items() if v <= before[name]]:
        assert time.monotonic() < until, stuck
        time.sleep(0.5)
    families = busy.scrape("agent-1")
    buckets = [v for _, v in families["weft_agent_produce_seconds"].buckets]
    assert buckets == sorted(buckets)
    assert buckets[-1] == families["weft_agent_produce_seconds"].samples[0][1]
    topics = {labels["topic"] for labels, _ in
              shown(busy, "weft-agent")["weft_agent_topic_produced_bytes_total"].samples}
    assert topics == {"other", *TOPICS}


def test_nobody_is_named(busy):
    """The control plane names no topic, group, agent or tenant to whoever asks."""
    for name in busy.node_names:
        text = busy.text(name)
        for word in (*TOPICS, "readers", "laggards", "zone-1", 'cluster="dev"'):
            assert word not in text, word
    clusters = {labels["cluster"] for labels, _ in
                busy.scrape(busy.leader())["weft_controlplane_cluster_agents"].samples}
    assert clusters == {busy.cluster_id(), "other"}


def test_other_nodes_answer(busy):
    """A node that does not lead shows what it knows itself, and nothing of what it does not."""
    follower = next(name for name in busy.node_names if name != busy.leader())
    families = busy.scrape(follower)
    assert families["weft_controlplane_leader"].samples == [({}, 0)]
    assert families["weft_controlplane_leader_known"].samples == [({}, 1)]
    assert families["weft_controlplane_raft_commit_index"].samples[0][1] > 1
    assert families["weft_controlplane_cluster_agents"].samples == []
    now = time.time()
    for name in ("certificate", "ca"):
        family = families[f"weft_controlplane_{name}_expiry_timestamp_seconds"]
        assert now < family.samples[0][1] < now + 40 * 365 * 86400
    assert 0 < families["weft_controlplane_disk_free_bytes"].samples[0][1] <= \
        families["weft_controlplane_disk_size_bytes"].samples[0][1]
    assert 0 <= families["weft_controlplane_backup_age_seconds"].samples[0][1] < 3600


def test_overview(busy):
    """A cluster at a glance: it is well, its rates are those of the load, the cost is that
    of the requests at their list price."""
    until = time.monotonic() + SCRAPE_LIMIT_S
    while (seen := busy.overview())["latency"]["produce"] is None or \
            not seen["throughput"]["fetched_records_per_second"] or \
            not seen["cost"] or not seen["cost"]["dollars_per_gib"]:
        assert time.monotonic() < until, seen
        time.sleep(0.5)
    assert seen["health"] == {"status": "ok", "problems": []}
    assert [(zone["agents"], zone["active"]) for zone in seen["zones"]] == [(1, 1), (1, 1)]
    assert seen["topics"] == 2 and seen["partitions"] == 4 and seen["groups"] == 2
    rates = seen["throughput"]
    # 500 bytes a record, and what a batch adds to them.
    assert 500 < rates["produced_bytes_per_second"] / rates["produced_records_per_second"] < 700
    latency = seen["latency"]["produce"]
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] < 30_000
    store, cost = seen["store"], seen["cost"]
    assert (store["provider"], store["region"]) == ("aws", "eu-west-1")
    assert store["stored_bytes"] > 0 and store["requests_per_second"]["put"] > 0
    requests = store["requests_per_second"]
    per_second = 5e-6 * (requests["put"] + requests["list"]) + \
        0.4e-6 * (requests["get"] + requests["head"])
    assert cost["requests_dollars_per_month"] == pytest.approx(per_second * 2_628_000, rel=1e-3)
    assert cost["dollars_per_gib"] == pytest.approx(
        per_second * 2**30 / rates["produced_bytes_per_second"], rel=1e-3)
    assert cost["dollars_per_month"] == pytest.approx(
        cost["requests_dollars_per_month"] + cost["storage_dollars_per_month"], rel=1e-3)
    assert cost["as_of"] and cost["source"].startswith("https://")


@pytest.mark.parametrize("words, sentence", [
    (["weft-agent", "--store-provider", "acme"],
     'the table of prices has no provider "acme": name one that it has'),
    (["weft-agent", "--prices", "/nonexistent"],
     "prices of the object store in /nonexistent: cannot read it: No such file"),
    (["weft-controlplane", "--prices", "/nonexistent", "--bootstrap"],
     "prices of the object store in /nonexistent: cannot read it: No such file")])
def test_prices_that_there_are_not(tmp_path, words, sentence):
    """A table of prices, or a provider, that is not there ends the start with a sentence."""
    more = ["--data-dir", str(tmp_path / "data")] if words[0] == "weft-controlplane" else [
        "--control-plane", "https://127.0.0.1:1", "--ca-fingerprint", "00" * 32,
        "--enrolment-token", "t", "--store", f"file://{tmp_path}"]
    done = subprocess.run([ROOT / "build" / "release" / words[0], *words[1:], *more],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and sentence in done.stderr, done.stderr


def test_store_requests_are_billed(tmp_path):
    """What an agent asked of the store is on the bill when it has gone, to the request."""
    with BusyCluster(tmp_path, control_plane_set={"metrics-clusters": "5"}) as busy:
        until = time.monotonic() + SCRAPE_LIMIT_S
        while sum(v for n in ("agent-1", "agent-2") for labels, v in
                  busy.scrape(n)["weft_agent_store_requests_total"].samples) < 20:
            assert time.monotonic() < until
            time.sleep(0.5)
        busy.traffic.end()
        counted = {}
        for name in ("agent-1", "agent-2"):
            for labels, value in busy.scrape(name)["weft_agent_store_requests_total"].samples:
                counted[labels["kind"]] = counted.get(labels["kind"], 0) + int(value)
        for name in ("agent-1", "agent-2"):
            busy.stop(name)
        hours = busy.get_json(busy.leader(),
                              f"/api/v1/clusters/{busy.cluster_id()}/usage")["items"]
        billed = {kind: sum(hour["store"][kind] for hour in hours) for kind in counted}
        assert billed == counted and billed["put"] > 0
        assert sum(hour["store"]["written_bytes"] for hour in hours) > \
            sum(hour["produced"]["bytes"] for hour in hours) > 0
