"""The people's API against the real process: every resource end to end, who may see what,
repeats, races, pages, floods.

Over real TLS with the clients of tests/lib/control.py. That each answer has the shape that
proto/openapi.json says, is tests/system/test_rest_conformance.py's."""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from control import BUILD, Batch, Commit, ControlPlane, Refused, Run  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
API = "/api/v1"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """The control plane of most tests."""
    with ControlPlane(tmp_path_factory.mktemp("rest"), max_token_requests=0,
                      group_initial_rebalance_delay="0s") as plane:
        yield plane


@pytest.fixture
def admin(plane):
    """The first operator."""
    client = plane.admin
    yield client
    client.close()


def unique(name):
    """A name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def answer_of(client, method, path, value=None, token=None, **headers):
    """(status, headers, parsed body or None), whatever the status."""
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    headers["Authorization"] = f"Bearer {token or client.token}"
    body = None
    if value is not None:
        body = json.dumps(value)
        headers["Content-Type"] = "application/json"
    status, answered, content = client.raw(method, path, body, headers)
    return status, answered, json.loads(content) if content else None


def refused(client, status, *args, **more):
    """The call must end with STATUS and a problem; the problem."""
    got, headers, body = answer_of(client, *args, **more)
    assert got == status, (args, got, body)
    assert headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status and body["detail"]
    return body


def walk(client, path, token=None, between=lambda: None, **query):
    """All items of a list, page by page."""
    items, after = [], None
    while True:
        words = dict(query, **({"after": after} if after else {}))
        text = "&".join(f"{k}={v}" for k, v in words.items())
        page = client.call("GET", f"{path}?{text}", token=token)
        assert len(page["items"]) <= int(query.get("limit", 100))
        items += page["items"]
        after = page["next"]
        if after is None:
            return items
        between()


@pytest.fixture
def cluster(admin):
    """A cluster of one's own: its path."""
    made = admin.call("POST", f"{API}/clusters", {"name": unique("c")})
    return f"{API}/clusters/{made['id']}"


def token_for(admin, cluster, role, **more):
    """A token of ROLE in CLUSTER."""
    return admin.call("POST", f"{API}/tokens", {
        "name": unique("t"), "role": role, "cluster_id": cluster.rsplit("/", 1)[1], **more})


# --- each resource ---


def test_clusters(admin):
    """A cluster is made, found, renamed, limited and deleted."""
    name = unique("life")
    status, headers, made = answer_of(admin, "POST", f"{API}/clusters", {"name": name})
    assert status == 201 and made["name"] == name
    path = headers["Location"]
    assert headers["ETag"] == f'"{made["revision"]}"'
    assert admin.call("GET", path) == made
    assert made in admin.call("GET", f"{API}/clusters?name={name}")["items"]
    assert made in walk(admin, f"{API}/clusters", q=name[2:], sort="-name", limit=3)
    refused(admin, 409, "POST", f"{API}/clusters", {"name": name})
    renamed = admin.call("PATCH", path, {"name": f"{name}.b"})
    assert renamed["revision"] > made["revision"]
    limits = admin.call("PATCH", f"{path}/limits", {"topics": 1, "requests_per_second": 50})
    assert limits["set"]["topics"] == limits["effective"]["topics"] == 1
    assert limits["set"]["agents"] == 0 and limits["effective"]["agents"] > 0
    admin.call("POST", f"{path}/topics", {"name": "one"})
    # Not 429: to wait does not help, and who repeats by itself should not.
    status, headers, body = answer_of(admin, "POST", f"{path}/topics", {"name": "two"})
    assert status == 409 and "Retry-After" not in headers and body["code"] == "LIMIT"
    assert admin.call("GET", f"{path}/limits")["used"]["topics"] == 1
    assert answer_of(admin, "DELETE", path)[0] == 204
    refused(admin, 404, "GET", path)
    refused(admin, 404, "GET", f"{path}/topics")
    admin.call("POST", f"{API}/clusters", {"name": f"{name}.b"})


def test_topics(plane, admin, cluster):
    """A topic's partitions and configs change; its offsets and sizes are told."""
    topics = f"{cluster}/topics"
    made = admin.call("POST", topics, {"name": "a.b", "partitions": 2,
                                       "configs": {"retention.ms": "1000"}})
    assert made["partitions"] == 2 and made["configs"] == {"retention.ms": "1000"}
    assert admin.call("GET", f"{topics}/a.b") == made == admin.call("GET",
                                                                    f"{topics}/{made['id']}")
    refused(admin, 409, "POST", topics, {"name": "a.b"})
    refused(admin, 422, "POST", topics, {"name": "x", "configs": {"nonsense": "1"}})
    refused(admin, 422, "POST", topics, {"name": "x", "configs": {"retention.ms": "soon"}})
    refused(admin, 400, "POST", topics, {"name": "x", "partition": 3})
    changed = admin.call("PATCH", f"{topics}/a.b", {
        "partitions": 3, "configs": {"retention.ms": None, "cleanup.policy": "compact"}})
    assert changed["partitions"] == 3 and changed["configs"] == {"cleanup.policy": "compact"}
    refused(admin, 422, "PATCH", f"{topics}/a.b", {"partitions": 1})
    agent = plane.enrol(cluster.rsplit("/", 1)[1])
    agent.register()
    agent.commit([Commit([Run(made["id"], 1, [Batch(10, length=500)]),
                          Run(made["id"], 2, [Batch(5, length=70)])])])
    partitions = walk(admin, f"{topics}/a.b/partitions", limit=2)
    assert [(p["partition"], p["high_watermark"], p["bytes"], p["runs"])
            for p in partitions] == [(0, 0, 0, 0), (1, 10, 500, 1), (2, 5, 70, 1)]
    assert partitions[0]["last_timestamp_ms"] is None and partitions[1]["last_timestamp_ms"]
    topic = admin.call("GET", f"{topics}/a.b")
    assert (topic["bytes"], topic["records"]) == (570, 15)
    assert answer_of(admin, "DELETE", f"{topics}/a.b")[0] == 204
    refused(admin, 404, "GET", f"{topics}/a.b")
    agent.close()


def join_group(agent, group, count=1, sync=True):
    """COUNT members of a classic group, in its first generation; their ids."""
    def ask(*ops):
        return agent.call("groups", {"ops": list(ops)})["results"]

    ids = [ask(["join", group, "", None, "client", "/::1", 10000, 60000, "consumer",
                [["range", "AAA="]], 0, str(uuid.uuid4())])[0][1] for _ in range(count)]
    deadline = time.monotonic() + 20
    while (joined := ask(["poll_join", group, ids[0], None])[0])[0] == "wait":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if sync:
        # ConsumerProtocol v0: partition 1 of "t" for the leader, nothing for the others.
        has = base64.b64encode(bytes.fromhex("0000" "00000001" "0001" "74" "00000001" "00000001"
                                             "ffffffff")).decode()
        ask(["sync", group, joined[1], ids[0], None, None, None, [[ids[0], has]]])
        for member in ids[1:]:
            ask(["sync", group, joined[1], member, None, None, None, []])
    return ids


def test_groups(plane, admin, cluster):
    """Groups are listed, filtered, sorted and paged; shown with members; deleted only when
    they have none."""
    groups = f"{cluster}/groups"
    agent = plane.enrol(cluster.rsplit("/", 1)[1])
    agent.register()
    admin.call("POST", f"{cluster}/topics", {"name": "t", "partitions": 3})
    ids = join_group(agent, "live", 2)
    for name in ("idle-b", "idle-a", "x/y"):
        admin.call("POST", f"{groups}/{'~782f79' if '/' in name else name}/reset-offsets",
                   {"to": "earliest", "topics": ["t"], "dry_run": False})
    assert [g["id"] for g in walk(admin, groups, limit=1)] == ["live", "idle-b", "idle-a", "x/y"]
    assert [g["id"] for g in walk(admin, groups, limit=2, sort="-id")] == [
        "x/y", "live", "idle-b", "idle-a"]
    assert [g["id"] for g in walk(admin, groups, sort="-members")][0] == "live"
    assert [g["id"] for g in walk(admin, groups, q="idle", sort="id")] == ["idle-a", "idle-b"]
    assert [g["id"] for g in walk(admin, groups, state="Stable", type="classic")] == ["live"]
    assert walk(admin, groups, type="consumer") == []
    refused(admin, 422, "GET", f"{groups}?state=Sleeping")
    live = admin.call("GET", f"{groups}/live")
    assert (live["state"], live["type"], live["members"], live["generation"], live["protocol"],
            live["leader"]) == ("Stable", "classic", 2, 1, "range", ids[0])
    assert [(m["id"], m["client_id"], m["host"], m["partitions"]) for m in live["member_list"]] == [
        (ids[0], "client", "/::1", [{"topic": "t", "partitions": [1]}]),
        (ids[1], "client", "/::1", [])]
    refused(admin, 404, "GET", f"{groups}/nobody")
    refused(admin, 404, "GET", f"{groups}/~zz")
    assert admin.call("GET", f"{groups}/~782f79")["id"] == "x/y"
    agent.call("groups", {"ops": [["commit", "live", 1, ids[0], None, [[
        admin.call("GET", f"{cluster}/topics/t")["id"], [[1, 0, -1, None], [2, 0, -1, None]]]],
        0]]})
    assert [(o["partition"], o["member_id"], o["client_id"], o["host"])
            for o in walk(admin, f"{groups}/live/offsets")] == [
        (1, ids[0], "client", "/::1"), (2, None, None, None)]
    agent.call("groups", {"ops": [["consumer", "modern", "m", 0, None, None, "c", "h", 60000, ["t"],
                                   None, None, []]]})
    agent.call("groups", {"ops": [["commit", "modern", 1, "m", None, [[
        admin.call("GET", f"{cluster}/topics/t")["id"], [[0, 0, -1, None]]]], 1]]})
    assert walk(admin, f"{groups}/modern/offsets")[0]["member_id"] == "m"
    modern = admin.call("GET", f"{groups}/modern")
    assert (modern["type"], modern["protocol"], modern["member_list"][0]["partitions"]) == (
        "consumer", "uniform", [{"topic": "t", "partitions": [0, 1, 2]}])
    refused(admin, 409, "DELETE", f"{groups}/live")
    etag = answer_of(admin, "GET", f"{groups}/idle-a")[1]["ETag"]
    refused(admin, 412, "DELETE", f"{groups}/idle-a", If_Match='"1"')
    assert answer_of(admin, "DELETE", f"{groups}/idle-a", If_Match=etag)[0] == 204
    refused(admin, 404, "DELETE", f"{groups}/idle-a")
    assert answer_of(admin, "DELETE", f"{groups}/~782f79")[0] == 204
    assert [e["target"] for e in walk(admin, f"{cluster}/audit", action="group.delete")
            if e["result"] == "OK"] == ["groups/x/y", "groups/idle-a"]
    agent.close()


def test_group_offsets(plane, admin, cluster):
    """Offsets are shown with their lag, and set as kafka-consumer-groups would, for groups
    without members only; a dry run changes nothing."""
    group = f"{cluster}/groups/g"
    agent = plane.enrol(cluster.rsplit("/", 1)[1])
    agent.register()
    topic = admin.call("POST", f"{cluster}/topics", {"name": "t", "partitions": 3})["id"]
    admin.call("POST", f"{cluster}/topics", {"name": "u"})
    now = int(time.time() * 1000)
    for age_ms in (60000, 30000):
        agent.commit([Commit([Run(topic, i, [Batch(10, timestamp=now - age_ms)])
                              for i in range(2)])])

    def reset(**body):
        return [(i["topic"], i["partition"], i["offset"], i["offset_before"])
                for i in admin.call("POST", f"{group}/reset-offsets", body)["items"]]

    assert reset(to="latest", topics=["t"]) == [("t", 0, 20, None), ("t", 1, 20, None),
                                                ("t", 2, 0, None)]
    refused(admin, 404, "GET", f"{group}/offsets")
    assert reset(to="earliest", all_topics=True) == []
    some = [{"topic": "t", "partitions": [1, 0]}]
    assert reset(to="offset", offset=12, topics=some, dry_run=False) == [
        ("t", 0, 12, None), ("t", 1, 12, None)]
    shown = walk(admin, f"{group}/offsets", limit=1)
    assert [(o["topic"], o["partition"], o["offset"], o["high_watermark"], o["lag"])
            for o in shown] == [("t", 0, 12, 20, 8), ("t", 1, 12, 20, 8)]
    assert all(29000 < o["lag_ms"] < 60000 for o in shown)
    assert walk(admin, f"{group}/offsets", topic="u") == []
    assert reset(to="current", all_topics=True) == [("t", 0, 12, 12), ("t", 1, 12, 12)]
    assert reset(to="shift", shift=-5, all_topics=True)[0] == ("t", 0, 7, 12)
    assert reset(to="shift", shift=-50, all_topics=True)[0] == ("t", 0, 0, 12)
    assert reset(to="offset", offset=99, topics=some)[0] == ("t", 0, 20, 12)
    assert reset(to="time", time_ms=now - 45000, topics=some)[0] == ("t", 0, 10, 12)
    assert reset(to="time", time_ms=now + 5000, topics=some)[0] == ("t", 0, 20, 12)
    assert reset(to="age", age_ms=50000, topics=some)[0] == ("t", 0, 10, 12)
    assert reset(to="list", offsets=[{"topic": "t", "partition": 2, "offset": 0},
                                     {"topic": "t", "partition": 0, "offset": 3}],
                 dry_run=False) == [("t", 0, 3, None), ("t", 2, 0, None)]
    assert [(o["partition"], o["offset"], o["lag"]) for o in walk(admin, f"{group}/offsets")] == [
        (0, 3, 17), (1, 12, 8), (2, 0, 0)]
    for status, body in (
            (400, {}), (422, {"to": "x", "all_topics": True}), (422, {"to": "earliest"}),
            (422, {"to": "earliest", "all_topics": True, "topics": ["t"]}),
            (422, {"to": "earliest", "all_topics": True, "offset": 1}),
            (422, {"to": "offset", "all_topics": True}),
            (400, {"to": "earliest", "all_topics": True, "dryrun": False}),
            (404, {"to": "earliest", "topics": ["none"]}),
            (404, {"to": "earliest", "topics": [{"topic": "t", "partitions": [3]}]}),
            (422, {"to": "earliest", "topics": ["t", "t"]}),
            (409, {"to": "shift", "shift": 1, "topics": ["u"]})):
        refused(admin, status, "POST", f"{group}/reset-offsets", body)
    key = {"Idempotency_Key": "k"}
    body = {"to": "latest", "topics": [{"topic": "t", "partitions": [0]}], "dry_run": False}
    first = answer_of(admin, "POST", f"{group}/reset-offsets", body, **key)
    again = answer_of(admin, "POST", f"{group}/reset-offsets", body, **key)
    assert first[0] == again[0] == 200 and first[2] == again[2]
    join_group(agent, "g", sync=False)
    refused(admin, 409, "POST", f"{group}/reset-offsets", {"to": "earliest", "all_topics": True})
    agent.close()


def test_agents(plane, admin, cluster):
    """Agents are listed with their load, wanted drained, and forgotten."""
    agents = [plane.enrol(cluster.rsplit("/", 1)[1]) for _ in range(3)]
    for zone, agent in zip("abc", agents):
        agent.register(zone=zone, version="7")
    listed = walk(admin, f"{cluster}/agents", limit=2, sort="-zone")
    assert [a["zone"] for a in listed] == ["c", "b", "a"]
    assert [a["id"] for a in admin.call("GET", f"{cluster}/agents?zone=b")["items"]] == \
        [agents[1].agent_id]
    one = f"{cluster}/agents/{agents[0].agent_id}"
    before = admin.call("GET", one)
    assert before["load"] is None and abs(before["last_seen_ms"] - time.time() * 1000) < 60000
    use = {"incarnation": 1, "fetched_bytes": 100, "fetched_records": 10, "fetch_requests": 2,
           "produce_requests": 3, "in_bytes_per_second": 7, "out_bytes_per_second": 9,
           "connections": 4, "final": True}
    assert agents[0].call("usage", use)["wanted_state"] == "active"
    load = admin.call("GET", one)["load"]
    assert (load["in_bytes_per_second"], load["connections"]) == (7, 4)
    drained = admin.call("PATCH", one, {"wanted_state": "draining"})
    assert drained["wanted_state"] == "draining" and drained["state"] == "active"
    assert agents[0].call("usage", use)["wanted_state"] == "draining"
    assert answer_of(admin, "DELETE", one)[0] == 204
    refused(admin, 404, "GET", one)
    with pytest.raises(Refused) as caught:
        agents[0].call("usage", use)
    assert caught.value.status == 409
    for agent in agents:
        agent.close()


def test_usage(plane, admin, cluster):
    """What is produced and fetched is counted once, however often it is reported."""
    cluster_id = cluster.rsplit("/", 1)[1]
    topic = admin.call("POST", f"{cluster}/topics", {"name": "t"})["id"]
    agent = plane.enrol(cluster_id)
    agent.register()
    commit = Commit([Run(topic, 0, [Batch(10, length=500), Batch(1, length=80)])])
    for _ in range(3):
        agent.commit([commit])
    use = {"incarnation": 5, "fetched_bytes": 1000, "fetched_records": 10,
           "fetch_requests": 2, "produce_requests": 3, "in_bytes_per_second": 0,
           "out_bytes_per_second": 0, "connections": 0, "final": True}
    for _ in range(3):
        agent.call("usage", use)
    agent.call("usage", use | {"fetched_bytes": 1500, "fetch_requests": 4})
    agent.call("usage", use | {"incarnation": 6, "fetched_bytes": 7})
    hours = walk(admin, f"{cluster}/usage")
    total = {name: sum(h[kind][name] for h in hours) for kind in ("produced", "fetched")
             for name in ("bytes", "records")}
    produced = {k: sum(h["produced"][k] for h in hours) for k in hours[0]["produced"]}
    fetched = {k: sum(h["fetched"][k] for h in hours) for k in hours[0]["fetched"]}
    assert produced == {"bytes": 580, "records": 11, "batches": 2, "objects": 1,
                        "requests": 6}, total
    assert fetched == {"bytes": 1507, "records": 20, "requests": 6}
    assert sum(h["partition_ms"] for h in hours) > 0
    mine = [u for u in walk(admin, f"{API}/usage", limit=3) if u["cluster_id"] == cluster_id]
    assert [u["produced"]["bytes"] for u in mine] == [580]
    assert walk(admin, f"{cluster}/usage", to_ms=1000) == []
    agent.close()


def column(counts):
    """A packed column of small numbers (control_api.md)."""
    return base64.b64encode(bytes(2 * n for n in counts)).decode()


def test_overview_and_cost(plane, admin, cluster):
    """What agents tell of their store is on the bill once, with its price as soon as one told
    whose store it is; the overview sums up what they do and where they are."""
    agents = [plane.enrol(cluster.rsplit("/", 1)[1]) for _ in range(3)]
    status, _, empty = answer_of(admin, "GET", f"{cluster}/overview")
    assert status == 200 and empty["health"]["status"] == "down" and empty["cost"] is None
    assert empty["latency"]["produce"] is None and empty["zones"] == []
    for zone, agent in zip("aab", agents):
        agent.register(zone=zone)
    use = {"incarnation": 5, "fetched_bytes": 0, "fetched_records": 0, "fetch_requests": 0,
           "produce_requests": 0, "in_bytes_per_second": 1 << 20, "out_bytes_per_second": 7,
           "connections": 2, "final": True,
           "store": {"put": 1000, "get": 500, "head": 1, "list": 2, "delete": 3,
                     "written_bytes": 9000, "read_bytes": 800}}
    agents[0].call("usage", use)
    hours = walk(admin, f"{cluster}/usage")
    assert [hour["requests_dollars"] for hour in hours] == [None]
    rates = dict.fromkeys(("produced_records", "produce_requests", "fetched_records",
                           "fetch_requests", "head", "list", "delete", "store_errors"), 0)
    more = use | {"rates": rates | {"put": 2, "get": 0.5}, "provider": "aws",
                  "region": "eu-central-1",
                  "latencies": dict.fromkeys(("fetch", "put", "get", "commit"),
                                             column([0] * 28))
                  | {"produce": column([0] * 10 + [50] * 2 + [0] * 16)}}
    for _ in range(2):
        agents[1].call("usage", more)
    agents[2].call("usage", more | {"incarnation": 1})
    hours = walk(admin, f"{cluster}/usage")
    assert sum(hour["store"]["put"] for hour in hours) == 3000
    assert sum(hour["store"]["delete"] for hour in hours) == 9
    assert sum(hour["store"]["read_bytes"] for hour in hours) == 2400
    assert sum(hour["requests_dollars"] for hour in hours) == \
        pytest.approx((3006 * 5.4 + 1503 * 0.43) / 1e6)
    mine = [u for u in walk(admin, f"{API}/usage") if cluster.endswith(u["cluster_id"])]
    assert mine[0]["store"]["list"] == 6 and mine[0]["requests_dollars"] > 0
    status, headers, seen = answer_of(admin, "GET", f"{cluster}/overview")
    assert headers["ETag"] == f'"{seen["revision"]}"'
    assert seen["health"] == {"status": "ok", "problems": []}
    assert [(z["zone"], z["agents"], z["connections"]) for z in seen["zones"]] == \
        [("a", 2, 4), ("b", 1, 2)]
    assert seen["throughput"]["produced_bytes_per_second"] == pytest.approx(3 << 20, rel=1e-5)
    assert seen["store"]["requests_per_second"]["put"] == 4
    # 100 between 512 and 1,024 and 100 up to 2,048 microseconds.
    assert seen["latency"]["produce"] == {"p50_ms": 1.024, "p99_ms": 2.02752, "count": 200}
    per_second = (4 * 5.4 + 1 * 0.43) / 1e6
    assert seen["cost"]["dollars_per_gib"] == pytest.approx(per_second * 1024 / 3, rel=1e-4)
    assert seen["cost"]["requests_dollars_per_month"] == pytest.approx(per_second * 2_628_000)
    for bad in ({"rates": {"put": 1}}, {"latencies": more["latencies"] | {"put": "AA=="}},
                {"store": {"put": -1}}, {"provider": "x" * 100, "region": ""}):
        with pytest.raises(Refused) as caught:
            agents[1].call("usage", more | bad)
        assert caught.value.status in (400, 413, 422), bad
    for agent in agents:
        agent.close()


def test_users_and_tokens(admin, cluster):
    """A user's tokens do what the user may, no more, and end with the user."""
    cluster_id = cluster.rsplit("/", 1)[1]
    user = admin.call("POST", f"{API}/users", {
        "name": unique("u"), "email": "u@example.org", "role": "admin",
        "cluster_id": cluster_id})
    path = f"{API}/users/{user['id']}"
    made = token_for(admin, cluster, "admin", user_id=user["id"])
    who = admin.call("GET", f"{API}/whoami", token=made["token"])
    assert (who["role"], who["cluster_id"], who["user_id"], who["token_id"]) == \
        ("admin", cluster_id, user["id"], made["id"])
    assert "token" not in admin.call("GET", f"{API}/tokens/{made['id']}")
    topics = f"{cluster}/topics"
    admin.call("POST", topics, {"name": "by-admin"}, token=made["token"])
    admin.call("PATCH", path, {"role": "viewer"})
    refused(admin, 403, "POST", topics, {"name": "x"}, token=made["token"])
    refused(admin, 422, "POST", f"{API}/tokens", {
        "name": "more", "role": "admin", "cluster_id": cluster_id, "user_id": user["id"]})
    admin.call("PATCH", path, {"disabled": True})
    refused(admin, 401, "GET", topics, token=made["token"])
    admin.call("PATCH", path, {"disabled": False})
    assert answer_of(admin, "GET", topics, token=made["token"])[0] == 200
    assert answer_of(admin, "DELETE", path)[0] == 204
    refused(admin, 401, "GET", topics, token=made["token"])
    # Who manages a cluster makes nobody greater than itself, and nobody elsewhere.
    own = token_for(admin, cluster, "admin")["token"]
    refused(admin, 403, "POST", f"{API}/tokens", {"name": "x", "role": "operator"}, token=own)
    refused(admin, 403, "POST", f"{API}/users", {"name": "x", "role": "operator"}, token=own)
    refused(admin, 422, "POST", f"{API}/tokens",
            {"name": "x", "role": "viewer", "cluster_id": UNKNOWN}, token=own)
    less = admin.call("POST", f"{API}/tokens", {"name": "x", "role": "viewer"}, token=own)
    assert less["cluster_id"] == cluster_id
    viewer = less["token"]
    refused(admin, 403, "DELETE", f"{cluster}/topics/by-admin", token=viewer)
    assert answer_of(admin, "DELETE", f"{API}/tokens/{less['id']}", token=viewer)[0] == 204
    refused(admin, 401, "GET", topics, token=viewer)


def test_enrolment_tokens(plane, admin, cluster):
    """An enrolment token is listed without its text, used, and revoked."""
    tokens = f"{cluster}/enrolment-tokens"
    made = admin.call("POST", tokens, {"name": "one", "single_use": True})
    listed = admin.call("GET", tokens)["items"]
    assert [t["id"] for t in listed] == [made["id"]] and "token" not in listed[0]
    agent = plane.enrol(cluster.rsplit("/", 1)[1], token=made["token"])
    assert admin.call("GET", f"{tokens}/{made['id']}")["used_by"] == agent.agent_id
    agent.close()
    other = admin.call("POST", tokens)
    assert answer_of(admin, "DELETE", f"{tokens}/{other['id']}")[0] == 204
    with pytest.raises(Refused) as caught:
        plane.enrol(cluster.rsplit("/", 1)[1], token=other["token"])
    assert caught.value.status == 401


def test_last_operator_stays(tmp_path):
    """Nobody can lock everybody out."""
    with ControlPlane(tmp_path / "plane") as plane:
        admin = plane.admin
        own = admin.call("GET", f"{API}/whoami")["token_id"]
        refused(admin, 409, "DELETE", f"{API}/tokens/{own}")
        other = admin.call("POST", f"{API}/tokens", {"name": "b", "role": "operator"})
        assert answer_of(admin, "DELETE", f"{API}/tokens/{own}")[0] == 204
        refused(admin, 401, "GET", f"{API}/whoami")
        assert answer_of(admin, "GET", f"{API}/whoami", token=other["token"])[0] == 200


def test_audit(plane, admin, cluster):
    """Every change is there: who, what, from where, with what result; reads are not."""
    cluster_id = cluster.rsplit("/", 1)[1]
    token = token_for(admin, cluster, "admin")
    headers = answer_of(admin, "POST", f"{cluster}/topics", {"name": "t"},
                        token=token["token"])[1]
    refused(admin, 409, "POST", f"{cluster}/topics", {"name": "t"}, token=token["token"])
    admin.call("GET", f"{cluster}/topics")
    agent = plane.enrol(cluster_id)
    agent.register()
    agent.create_topic("by-agent")
    agent.close()
    entries = walk(admin, f"{cluster}/audit", limit=2, sort="at_ms")
    assert [(e["actor"]["kind"], e["action"], e["target"], e["result"], e["kafka_error"])
            for e in entries if e["action"].startswith("topic.")] == [
                ("token", "topic.create", "topics/t", "OK", 0),
                ("token", "topic.create", "topics/t", "EXISTS", 36),
                ("agent", "topic.create", "topics/by-agent", "OK", 0)]
    first = next(e for e in entries if e["action"] == "topic.create")
    assert first["actor"]["id"] == token["id"] and first["remote"] == "127.0.0.1"
    assert first["request_id"] == headers["X-Request-Id"]
    assert entries[0]["action"] == "cluster.create"
    assert "agent.enrol" in {e["action"] for e in entries}
    newest = walk(admin, f"{cluster}/audit", action="topic.", actor=token["id"])
    assert len(newest) == 2 and newest[0]["at_ms"] >= newest[1]["at_ms"]
    mine = admin.call("GET", f"{cluster}/audit", token=token["token"])["items"]
    assert {e["cluster_id"] for e in mine} == {cluster_id}
    everything = walk(admin, f"{API}/audit", limit=1000)
    assert {e["id"] for e in entries} <= {e["id"] for e in everything}


def test_backups(admin):
    """A backup that was taken is remembered, the latest first."""
    body = {"place": "s3://b/one", "applied_index": 3, "size_bytes": 10, "taken_at_ms": 5,
            "sha256": "ab" * 32}
    one = admin.call("POST", f"{API}/backups", body)
    two = admin.call("POST", f"{API}/backups", body | {"place": "/b/two"})
    assert [b["id"] for b in admin.call("GET", f"{API}/backups")["items"]][:2] == \
        [two["id"], one["id"]]
    assert admin.call("GET", f"{API}/backups/{one['id']}")["place"] == "s3://b/one"


def test_description_and_page(plane, admin):
    """The description is the tree's own; the page loads nothing from elsewhere."""
    status, _, content = admin.raw("GET", f"{API}/openapi.json")
    assert status == 200
    assert json.loads(content) == json.loads((ROOT / "proto" / "openapi.json").read_text())
    status, headers, html = admin.raw("GET", f"{API}/docs")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    parts = re.findall(rb'(?:src|href)="([^"#]+)"', html)
    assert set(parts) == {b"docs/page.css", b"docs/page.js", b"openapi.json"}
    for part in parts:
        assert admin.raw("GET", f"{API}/{part.decode()}")[0] == 200
    assert b"http" not in html and b"innerHTML" not in admin.raw(
        "GET", f"{API}/docs/page.js")[2]


# --- who may ---


def routes():
    """(method, path, access) of every operation described."""
    document = json.loads((ROOT / "proto" / "openapi.json").read_text())
    return [(method.upper(), path, operation["x-weft-access"])
            for path, item in document["paths"].items()
            for method, operation in item.items() if method != "parameters"]


def test_routes_are_described(plane, admin):
    """What is described is routed, by the same methods and no others."""
    allowed = {}
    for method, path, _ in routes():
        allowed.setdefault(path, set()).add(method)
    for path, methods in allowed.items():
        status, headers, _ = admin.raw("OPTIONS", re.sub(r"{\w+}", UNKNOWN, path))
        assert status == 204, path
        got = set(headers["Allow"].split(", ")) - {"OPTIONS"}
        assert got == methods | ({"HEAD"} if "GET" in methods else set()), path


def expired(admin, cluster):
    """A token that was good until now."""
    token = token_for(admin, cluster, "admin", ttl_ms=1)["token"]
    time.sleep(0.05)
    return token


def revoked(admin, cluster):
    """A token that was revoked."""
    made = token_for(admin, cluster, "admin")
    assert answer_of(admin, "DELETE", f"{API}/tokens/{made['id']}")[0] == 204
    return made["token"]


@pytest.mark.parametrize("uri", ["/clusters?name=x%00y", "/clusters%00x", "/docs%00"])
def test_nul_in_the_uri(admin, uri):
    """What stands behind an encoded NUL is not ignored: no such URI is taken."""
    refused(admin, 400, "GET", API + uri)


def test_every_route_with_bad_credentials(plane, admin, cluster):
    """No, a garbled, an expired, a revoked and another tenant's token, at every route.

    Nothing of it changes anything, and another's cluster is not there (I10)."""
    other = f"{API}/clusters/" + admin.call("POST", f"{API}/clusters",
                                            {"name": unique("other")})["id"]
    admin.call("POST", f"{cluster}/topics", {"name": "topic"})
    user = admin.call("POST", f"{API}/users", {
        "name": unique("u"), "role": "viewer", "cluster_id": cluster.rsplit("/", 1)[1]})
    enrolment = admin.call("POST", f"{cluster}/enrolment-tokens")
    ids = {"cluster": cluster.rsplit("/", 1)[1], "topic": "topic", "agent": UNKNOWN,
           "user": user["id"], "group": "group", "node": "1", "file": "main.js", "backup": UNKNOWN, "fingerprint": "0" * 64,
           "token": token_for(admin, cluster, "admin")["id"]}
    good = token_for(admin, cluster, "admin")["token"]
    garbled = [good[:-1] + ("A" if good[-1] != "A" else "B"), good[:20], "x", good + "AA"]
    dead = garbled + [expired(admin, cluster), revoked(admin, cluster)]
    foreign = token_for(admin, other, "admin")["token"]
    before = [admin.call("GET", p) for p in (cluster, f"{cluster}/topics/topic",
                                             f"{API}/users/{user['id']}")]
    for method, path, access in routes():
        where = path.format(**(ids | ({"token": enrolment["id"]}
                                      if "enrolment" in path else {})))
        body = None if method in ("GET", "DELETE") else '{"name":"x"}'
        head = {"Content-Type": "application/json"} if body else {}
        if access == ["open"]:
            assert admin.raw(method, where.replace("pages/main.js", "pages/topics.js"))[0] \
                in (200, 302, 503)
            continue
        status, headers, _ = admin.raw(method, where, body, head)
        assert status == 401 and headers["WWW-Authenticate"], (method, path, status)
        for token in dead:
            head["Authorization"] = f"Bearer {token}"
            status, headers, content = admin.raw(method, where, body, head)
            # An API token is of the wrong kind where agents enrol and nodes join.
            wanted = (401,) if access[0] in ("operator", "admin") else (401, 403)
            assert status in wanted, (method, path, token, status, content)
        head["Authorization"] = f"Bearer {foreign}"
        status, _, content = admin.raw(method, where, body, head)
        if "operator" in access and "admin" not in access and "{cluster}" not in path:
            assert status == 403, (method, path, status)
        elif "{" in path:
            assert status == 404, (method, path, status, content)
        else:
            # A list or a creation in the caller's own scope.
            assert status in (200, 400, 403), (method, path, status)
            assert ids["cluster"].encode() not in content
    assert before == [admin.call("GET", p) for p in (cluster, f"{cluster}/topics/topic",
                                                     f"{API}/users/{user['id']}")]


def test_roles(admin, cluster):
    """A viewer reads all of its cluster and changes nothing."""
    admin.call("POST", f"{cluster}/topics", {"name": "topic"})
    viewer = token_for(admin, cluster, "viewer")["token"]
    for method, path, access in routes():
        if "{cluster}" not in path:
            continue
        where = path.format(cluster=cluster.rsplit("/", 1)[1], topic="topic", agent=UNKNOWN,
                            token=UNKNOWN, group="group")
        body = None if method in ("GET", "DELETE") else {}
        status = answer_of(admin, method, where, body, token=viewer)[0]
        assert status in ((200, 404) if method == "GET" else (403,)), (method, path, status)
    assert [f"{API}/clusters/{c['id']}" for c in
            admin.call("GET", f"{API}/clusters", token=viewer)["items"]] == [cluster]


def test_listeners_are_apart(plane, admin, cluster):
    """Nothing of one listener is reachable on the other."""
    agent = plane.enrol(cluster.rsplit("/", 1)[1])
    agent.register()
    for method, path, _ in routes():
        status = agent.raw(method, path.replace("{", "").replace("}", ""), headers={
            "Authorization": f"Bearer {admin.token}"})[0]
        assert status == 404, (method, path)
    for name in ("metadata", "register", "commit", "usage"):
        refused(admin, 404, "POST", f"/agent/v1/{name}", {})
    agent.close()


def test_deleted_cluster_is_dead_at_once(plane, admin, cluster):
    """Its tokens and its agents' certificates are void when DELETE has answered."""
    token = token_for(admin, cluster, "admin")["token"]
    agent = plane.enrol(cluster.rsplit("/", 1)[1])
    agent.register()
    agent.create_topic("t", 5)
    enrolment = admin.call("POST", f"{cluster}/enrolment-tokens")["token"]
    assert answer_of(admin, "DELETE", cluster)[0] == 204
    refused(admin, 401, "GET", cluster, token=token)
    for name in ("metadata", "register"):
        with pytest.raises(Refused) as caught:
            agent.register() if name == "register" else agent.call(name, {})
        assert caught.value.status == 403
    with pytest.raises(Refused) as caught:
        plane.enrol(UNKNOWN, token=enrolment)
    assert caught.value.status == 401
    agent.close()


# --- repeats, races, pages ---


CREATIONS = [("clusters", {"name": "k"}), ("users", {"name": "k", "role": "operator"}),
             ("tokens", {"name": "k", "role": "operator"}),
             ("{cluster}/topics", {"name": "k", "partitions": 2}),
             ("{cluster}/enrolment-tokens", {"single_use": True}),
             ("backups", {"place": "/k", "applied_index": 1, "size_bytes": 1,
                          "taken_at_ms": 1, "sha256": "00" * 32})]


@pytest.mark.parametrize("path,body", CREATIONS, ids=lambda x: x if isinstance(x, str) else "")
def test_repeats_get_the_same_answer(admin, cluster, path, body):
    """A POST of the same Idempotency-Key is done once and answered the same, to the
    letter, also when what it made has changed; with another body it is refused."""
    path = f"{API}/" + path.replace("{cluster}", cluster[len(API) + 1:])
    if body.get("name"):
        body = body | {"name": unique("k")}
    key = uuid.uuid4().hex
    before = len(walk(admin, path))
    first = answer_of(admin, "POST", path, body, Idempotency_Key=key)
    assert first[0] == 201 and "Idempotency-Replayed" not in first[1]
    if "{cluster}" not in path and path.endswith("/clusters"):
        admin.call("PATCH", first[1]["Location"], {"name": unique("other")})
    if path.endswith("/users"):
        assert answer_of(admin, "DELETE", first[1]["Location"])[0] == 204
        before -= 1
    for _ in range(3):
        again = answer_of(admin, "POST", path, body, Idempotency_Key=key)
        assert (again[0], again[2]) == (first[0], first[2])
        assert again[1]["Idempotency-Replayed"] == "true"
        assert again[1]["Location"] == first[1]["Location"]
    assert len(walk(admin, path)) == before + 1
    other = {"place": "z"} if "place" in body else {"name": "z"}
    refused(admin, 422, "POST", path, body | other, Idempotency_Key=key)
    refused(admin, 400, "POST", path, body, Idempotency_Key="a b")
    if "token" in first[2] and path.endswith("/tokens"):
        assert answer_of(admin, "GET", f"{API}/whoami", token=first[2]["token"])[0] == 200


def test_repeats_at_the_same_time(plane, admin, cluster):
    """Twenty at once make one."""
    key = uuid.uuid4().hex

    def create(_):
        client = plane.admin
        answer = answer_of(client, "POST", f"{cluster}/topics", {"name": "once"},
                           Idempotency_Key=key)
        client.close()
        return answer[0], json.dumps(answer[2])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(create, range(20)))
    assert len(answers) == 1 and answers.pop()[0] == 201
    assert len(walk(admin, f"{cluster}/topics")) == 1


def test_repeat_after_restart(tmp_path):
    """The key is remembered over a crash."""
    with ControlPlane(tmp_path / "plane") as plane:
        admin = plane.admin
        body = {"name": "k", "role": "operator"}
        first = answer_of(admin, "POST", f"{API}/tokens", body, Idempotency_Key="k")
        plane.kill()
        plane.start()
        again = answer_of(plane.admin, "POST", f"{API}/tokens", body, Idempotency_Key="k")
        assert again[0] == 201 and again[2] == first[2]


def test_etag_races(plane, admin, cluster):
    """Of those who change the same revision, one wins."""
    tag = answer_of(admin, "GET", cluster)[1]["ETag"]

    def rename(i):
        client = plane.admin
        status, headers, _ = answer_of(client, "PATCH", cluster, {"name": unique(f"r{i}")},
                                       If_Match=tag)
        client.close()
        return status, headers.get("ETag")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(rename, range(16)))
    assert sorted(status for status, _ in answers) == [200] + [412] * 15
    new = next(etag for status, etag in answers if status == 200)
    assert answer_of(admin, "GET", cluster)[1]["ETag"] == new != tag
    refused(admin, 412, "DELETE", cluster, If_Match=tag)
    refused(admin, 412, "PATCH", cluster, {"name": "x"}, If_Match="nonsense")
    assert answer_of(admin, "PATCH", cluster, {"name": unique("any")}, If_Match="*")[0] == 200
    topic = answer_of(admin, "POST", f"{cluster}/topics", {"name": "t"})
    admin.call("PATCH", f"{cluster}/topics/t", {"partitions": 2})
    refused(admin, 412, "PATCH", f"{cluster}/topics/t", {"partitions": 3},
            If_Match=topic[1]["ETag"])
    refused(admin, 412, "DELETE", f"{cluster}/topics/t", If_Match=topic[1]["ETag"])


@pytest.mark.parametrize("sort", ["created_at_ms", "-created_at_ms", "name", "-name"])
def test_pages_under_changes(admin, cluster, sort):
    """Whatever comes and goes meanwhile, what stays is shown, once, in order."""
    topics = f"{cluster}/topics"
    stay = {f"stay-{i:02}" for i in range(25)}
    for i in range(25):
        admin.call("POST", topics, {"name": f"stay-{i:02}"})
        admin.call("POST", topics, {"name": f"gone-{i:02}"})
    fresh = iter(range(1000))
    gone = iter(range(25))

    def between():
        answer_of(admin, "DELETE", f"{topics}/gone-{next(gone, 0):02}")
        admin.call("POST", topics, {"name": f"new-{next(fresh):03}"})

    seen = [t["name"] for t in walk(admin, topics, between=between, limit=4, sort=sort)]
    assert len(seen) == len(set(seen)) and stay <= set(seen)
    if "name" in sort:
        assert seen == sorted(seen, reverse=sort[0] == "-")
    else:
        shown = [name for name in seen if name in stay]
        assert shown == sorted(stay, reverse=sort[0] == "-")
    refused(admin, 422, "GET", f"{topics}?sort=partitions")
    refused(admin, 422, "GET", f"{topics}?limit=1001")
    cursor = admin.call("GET", f"{topics}?limit=1&sort={sort}")["next"]
    other = "name" if "created" in sort else "created_at_ms"
    refused(admin, 422, "GET", f"{topics}?after={cursor}&sort={other}")


# --- fairness ---


def test_flood_is_stopped_and_others_are_not(plane, admin, cluster):
    """Who makes more requests than it may gets 429; another tenant notices nothing."""
    quiet = f"{API}/clusters/" + admin.call("POST", f"{API}/clusters",
                                            {"name": unique("quiet")})["id"]
    admin.call("PATCH", f"{cluster}/limits", {"requests_per_second": 20})
    flooding = [plane.enrol(cluster.rsplit("/", 1)[1]) for _ in range(3)]
    calm = plane.enrol(quiet.rsplit("/", 1)[1])
    for agent in flooding + [calm]:
        agent.register()
    statuses, stop = [], threading.Event()

    def flood(agent):
        while not stop.is_set():
            status, headers, _ = agent.raw("POST", "/agent/v1/metadata", "{}")
            assert status != 429 or int(headers["Retry-After"]) >= 1
            statuses.append(status)

    threads = [threading.Thread(target=flood, args=(agent,)) for agent in flooding]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    slowest = 0
    while time.monotonic() < started + 3:
        begun = time.monotonic()
        calm.call("metadata", {})
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    passed = statuses.count(200)
    assert statuses.count(429) > 10 * passed, (passed, len(statuses))
    assert 20 <= passed <= 20 * (time.monotonic() - started + 1) + 5
    assert slowest < 1
    # Its people have a share of their own.
    token = token_for(admin, cluster, "admin")["token"]
    assert answer_of(admin, "GET", cluster, token=token)[0] == 200
    for agent in flooding + [calm]:
        agent.close()


def test_one_token_is_bounded(tmp_path):
    """A token that is used too often has to wait; others have not."""
    with ControlPlane(tmp_path / "plane", max_token_requests=10) as plane:
        admin = plane.admin
        other = admin.call("POST", f"{API}/tokens", {"name": "b", "role": "operator"})
        answers = [answer_of(admin, "GET", f"{API}/whoami") for _ in range(60)]
        limited = [a for a in answers if a[0] == 429]
        assert limited and all(int(a[1]["Retry-After"]) >= 1 for a in limited)
        assert answer_of(admin, "GET", f"{API}/whoami", token=other["token"])[0] == 200


# --- backups ---


def test_download_of_a_backup(plane, admin, cluster, tmp_path):
    """An operator gets a whole backup of what there is, which `weft backup verify` reads;
    nobody else gets one, and nothing of it stays on the node's disk, also when whoever
    asked goes away in the middle."""
    path = f"{API}/backups/download"
    made = admin.call("GET", f"{cluster}")
    asked = {"Authorization": f"Bearer {admin.token}"}
    before = int(time.time() * 1000)
    status, headers, content = admin.raw("GET", path, None, asked)
    assert status == 200 and headers["Content-Type"] == "application/octet-stream"
    assert int(headers["Content-Length"]) == len(content) and content[:8] == b"WEFTSNAP"
    backup = tmp_path / "backup"
    backup.write_bytes(content)
    words = [BUILD / "weft", "backup", "verify", backup, "-o", "json"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["applied_index"] >= made["revision"]
    assert before - 1000 <= told["taken_at_ms"] <= time.time() * 1000 + 1000
    backup.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert subprocess.run(words, check=False, capture_output=True, timeout=60).returncode == 1

    for role in ("admin", "viewer"):
        refused(admin, 403, "GET", path, token=token_for(admin, cluster, role)["token"])
    refused(admin, 401, "GET", path, token="weft_" + "x" * 40)
    agent = plane.enrol(cluster.rsplit("/", 1)[1])
    status, _, _ = agent.raw("GET", path, None, asked)
    assert status == 404    # it is no call of the agents' listener
    agent.close()

    leaver = plane.admin
    leaver.connection = http.client.HTTPSConnection(
        leaver.host, int(leaver.port), context=leaver.context, timeout=30)
    leaver.connection.request("GET", path, headers=asked)
    leaver.close()

    def left():
        """Files of downloads that have a name or are still open."""
        found = [p.name for p in plane.data.iterdir()]
        for fd in pathlib.Path(f"/proc/{plane.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(fd))
        return [name for name in found if "download" in name]

    until = time.monotonic() + 10
    while left():
        assert time.monotonic() < until, left()
        time.sleep(0.05)


# --- at the same time ---


def test_changes_that_race(plane, admin, cluster):
    """Who names no version in If-Match is never refused because another was faster, and
    what each changes stays changed: limits and users are read and written as one."""
    user = f"{API}/users/" + admin.call("POST", f"{API}/users", {
        "name": unique("u"), "role": "operator"})["id"]
    changes = [(f"{cluster}/limits", {"topics": 7}), (f"{cluster}/limits", {"agents": 8}),
               (f"{cluster}/limits", {"partitions": 9}), (cluster, {"name": unique("n")}),
               (user, {"email": "a@example.com"}), (user, {"disabled": True})]
    barrier = threading.Barrier(len(changes))
    answers = []

    def change(path, value):
        client = plane.admin
        for _ in range(20):
            barrier.wait(30)
            answers.append(answer_of(client, "PATCH", path, value))
        client.close()

    threads = [threading.Thread(target=change, args=one) for one in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20 * len(changes)
    assert {status for status, _, _ in answers} == {200}, answers[-1]
    limits = admin.call("GET", f"{cluster}/limits")["set"]
    assert (limits["topics"], limits["agents"], limits["partitions"]) == (7, 8, 9)
    told = admin.call("GET", user)
    assert told["email"] == "a@example.com" and told["disabled"] is True
    # A version that is named is honoured as before.
    refused(admin, 412, "PATCH", f"{cluster}/limits", {"topics": 1}, If_Match='"1"')
