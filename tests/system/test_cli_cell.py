"""`weft` against real control planes: the work of a day, roles, backups, three nodes.

What `weft` does with servers and networks that misbehave is in test_cli.py.
"""

import contextlib
import json
import subprocess
import sys
import time

import pytest
import yaml
from control import ROOT, Batch, Commit, ControlPlane, Run
from radosgw import Radosgw
from test_cli import Weft

LIMIT_S = 120
RENEWED_S = 90


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """One node with a cluster "main", in which an agent has committed to a topic."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        cluster = plane.admin.create_cluster("main")
        agent = plane.enrol(cluster["id"])
        agent.register()
        topic = agent.create_topic("kept", 2)
        assert agent.commit([Commit([Run(topic, 0, [Batch(10, 1000)])])])[0][0] == 0
        plane.agent = agent
        yield plane


def log_in(weft, plane, *more):
    """Log in as the first operator."""
    fingerprint = (plane.data / "ca.fingerprint").read_text().strip()
    weft.ok("login", plane.people_url, "--ca-fingerprint", fingerprint, "--token",
            f"@{plane.data / 'admin-token'}", *more)
    return weft


@pytest.fixture
def weft(tmp_path, plane):
    """An operator, who works on the cluster main."""
    return log_in(Weft(tmp_path), plane, "--cluster", "main", "--name", "test")


def names(value):
    """The names in a list's answer."""
    return [item["name"] for item in value["items"]]


def test_who(weft):
    """The first operator is who the cell says."""
    assert weft.json("whoami")["role"] == "operator"
    assert "operator" in weft.ok("whoami")


def test_clusters(weft):
    """A cluster lives: made, listed, renamed, limited, deleted; repeats are told."""
    made = weft.json("cluster", "create", "second")
    assert made["name"] == "second"
    assert "409 EXISTS" in weft.refused(5, "cluster", "create", "second")
    assert names(weft.json("cluster", "list", "--contains", "seco")) == ["second"]
    assert weft.json("cluster", "show", "second") == made
    assert weft.json("cluster", "show", made["id"][:8])["id"] == made["id"]
    renamed = weft.json("cluster", "rename", "second", "third", "--revision", made["revision"])
    assert renamed["name"] == "third" and renamed["id"] == made["id"]
    assert "412" in weft.refused(5, "cluster", "rename", "third", "x", "--revision",
                                 made["revision"])
    limits = weft.json("cluster", "limits", "set", "third", "--topics", "1", "--metadata-bytes",
                       "64MiB")
    assert limits["set"]["topics"] == 1 and limits["effective"]["metadata_bytes"] == 64 << 20
    assert weft.json("cluster", "limits", "show", "third")["set"] == limits["set"]
    weft.ok("topic", "create", "a", "--cluster", "third")
    assert "409 LIMIT" in weft.refused(5, "topic", "create", "b", "--cluster", "third")
    weft.ok("cluster", "delete", "third", "--yes", "--wait")
    assert "third" not in names(weft.json("cluster", "list", "--all"))
    weft.refused(3, "cluster", "show", made["id"])


def test_topics(weft):
    """A topic lives: made, listed, altered, deleted; its offsets and sizes are seen."""
    made = weft.json("topic", "create", "orders", "-p", "3", "--config", "retention.ms=1000",
                     "--config", "cleanup.policy=compact")
    assert made["partitions"] == 3 and made["configs"]["retention.ms"] == "1000"
    altered = weft.json("topic", "alter", "orders", "-p", "4", "--unset", "retention.ms",
                        "--config", "max.message.bytes=2000000")
    assert altered["configs"] == {"cleanup.policy": "compact", "max.message.bytes": "2000000"}
    assert altered["partitions"] == 4
    assert set(names(weft.json("topic", "list", "--all"))) >= {"kept", "orders"}
    assert len(weft.json("topic", "partitions", "orders", "--all")["items"]) == 4
    kept = weft.json("topic", "show", "kept")
    assert kept["records"] == 10 and kept["bytes"] == 1000
    rows = weft.ok("topic", "partitions", "kept").splitlines()
    assert rows[0].startswith("PARTITION") and rows[1].split()[:3] == ["0", "0", "10"]
    for wrong in (["-p", "2"], ["--config", "no.such=1"], ["--config", "retention.ms=x"]):
        assert weft.refused(1, "topic", "alter", "orders", *wrong).count("\n") >= 2
    weft.ok("topic", "delete", "orders", "--yes")
    assert "404" in weft.refused(3, "topic", "show", "orders")


def test_groups(weft, tmp_path):
    """A group's offsets are set, shown with their lag, exported, set from a file; it is
    described and deleted, whatever its name. Without --execute nothing happens."""
    reset = ("group", "reset-offsets", "a/b")
    dry = weft.run(*reset, "--topic", "kept", "--to-offset", "4")
    assert dry.returncode == 0 and "nothing was changed" in dry.stderr
    assert dry.stdout.splitlines()[1].split() == ["kept", "0", "-", "4"]
    weft.refused(3, "group", "describe", "a/b")
    weft.ok(*reset, "--topic", "kept:0", "--to-offset", "4", "--execute")
    lag = weft.json("group", "lag", "a/b")["items"]
    assert [(p["topic"], p["partition"], p["offset"], p["lag"]) for p in lag] == [
        ("kept", 0, 4, 6)]
    assert "BEHIND" in weft.ok("group", "lag", "a/b")
    (tmp_path / "plan").write_text(weft.ok(*reset, "--all-topics", "--shift-by=-1", "--export"))
    assert (tmp_path / "plan").read_text() == "kept,0,3\n"
    weft.ok(*reset, "--from-file", tmp_path / "plan", "--execute")
    assert weft.json("group", "lag", "a/b")["items"][0]["offset"] == 3
    assert weft.json("group", "describe", "a/b")["state"] == "Empty"
    assert weft.ok("group", "describe", "a/b").splitlines()[0].split() == ["group", "a/b"]
    assert [g["id"] for g in weft.json("group", "list", "--state", "Empty")["items"]] == ["a/b"]
    weft.ok("group", "delete", "a/b", "--yes")
    assert "404" in weft.refused(3, "group", "lag", "a/b")


def test_pages(weft):
    """--all shows more than one page has."""
    weft.ok("cluster", "create", "pages")
    for i in range(5):
        weft.ok("topic", "create", f"t{i}", "-c", "pages")
    first = weft.json("topic", "list", "-c", "pages", "--limit", "2", "--sort", "-name")
    assert names(first) == ["t4", "t3"] and first["next"]
    rest = weft.json("topic", "list", "-c", "pages", "--sort", "-name", "--after", first["next"])
    assert names(rest) == ["t2", "t1", "t0"]
    everything = weft.ok("topic", "list", "-c", "pages", "--limit", "2", "--all", "-o", "yaml")
    assert names(yaml.safe_load(everything)) == [f"t{i}" for i in range(5)]


def test_agents(weft, plane):
    """Agents are seen by node number, host and port; drained, resumed, forgotten."""
    plane.agent.register()  # its session may have ended meanwhile
    items = weft.json("agent", "list")["items"]
    assert [a["id"] for a in items] == [plane.agent.agent_id]
    node = str(items[0]["node_id"])
    port = items[0]["port"]
    for name in (node, f"127.0.0.1:{port}", plane.agent.agent_id):
        assert weft.json("agent", "show", name)["id"] == plane.agent.agent_id
    assert weft.json("agent", "drain", node)["wanted_state"] == "draining"
    assert weft.json("agent", "resume", node)["wanted_state"] == "active"
    other = plane.enrol(weft.json("cluster", "show")["id"])
    other.register()
    weft.ok("agent", "forget", other.agent_id, "--yes")
    assert len(weft.json("agent", "list")["items"]) == 1


def test_users_and_tokens(weft, plane, tmp_path):
    """Users, their tokens and roles: what each may do, and that it ends when it should."""
    user = weft.json("user", "create", "alice", "--role", "admin", "--cluster", "main",
                     "--email", "a@example.com")
    assert weft.json("user", "show", "alice", "--cluster", "main")["id"] == user["id"]
    assert "alice" in names(weft.json("user", "list", "--cluster", "main"))
    made = weft.json("token", "create", "alice-laptop", "--role", "admin", "--user", "alice",
                     "--cluster", "main", "--ttl", "1h")
    token = tmp_path / "token"
    token.write_text(made["token"] + "\n")
    alice = Weft(tmp_path / "alice")
    alice.ok("login", plane.people_url, "--ca-file", plane.ca_file, "--token", f"@{token}")
    assert alice.json("context", "show")["cluster"] == weft.json("cluster", "show")["id"]
    assert "kept" in names(alice.json("topic", "list"))
    assert "403" in alice.refused(4, "cluster", "create", "x")
    assert "403" in alice.refused(4, "cell", "status")
    weft.ok("cluster", "create", "secret")
    assert names(alice.json("cluster", "list")) == ["main"]
    alice.refused(3, "topic", "list", "--cluster", "secret")
    weft.ok("user", "alter", "alice", "--role", "viewer", "--cluster", "main")
    assert "403" in alice.refused(4, "topic", "create", "x")
    weft.ok("user", "alter", "alice", "--disabled", "--cluster", "main")
    assert "401" in alice.refused(4, "topic", "list")
    weft.ok("user", "alter", "alice", "--disabled=false", "--cluster", "main")
    alice.ok("topic", "list")
    weft.ok("token", "revoke", made["id"], "--yes")
    assert "401" in alice.refused(4, "topic", "list")
    weft.ok("user", "delete", "alice", "--cluster", "main", "--yes")
    weft.refused(3, "user", "show", user["id"])


def test_operators_tokens(weft):
    """An operator's further tokens are listed, shown by name and revoked."""
    made = weft.json("token", "create", "robot", "--role", "operator")
    assert weft.json("token", "show", "robot")["id"] == made["id"]
    assert "robot" in names(weft.json("token", "list", "--all"))
    assert "token" not in weft.json("token", "show", "robot")
    weft.ok("whoami", WEFT_TOKEN=made["token"])
    weft.ok("token", "revoke", "robot", "--yes")
    weft.refused(4, "whoami", WEFT_TOKEN=made["token"])


def test_enrolment_tokens(weft, plane):
    """Agents enrol by them until they are revoked."""
    made = weft.json("token", "enrolment", "create", "--name", "one", "--ttl", "1h",
                     "--single-use")
    plane.enrol(weft.json("cluster", "show")["id"], token=made["token"])
    shown = weft.json("token", "enrolment", "show", "one")
    assert shown["used_at_ms"] and shown["single_use"]
    weft.ok("token", "enrolment", "revoke", "one", "--yes")
    assert "one" not in names(weft.json("token", "enrolment", "list", "--all"))


def test_usage_and_audit(weft):
    """What was produced is on the bill; who changed what is in the log."""
    hours = weft.json("usage", "list", "--from", "2h")["items"]
    assert sum(hour["produced"]["records"] for hour in hours) == 10
    assert any(c["cluster_name"] == "main" for c in weft.json("usage", "cell", "--all")["items"])
    weft.ok("topic", "create", "seen")
    weft.ok("topic", "delete", "seen", "--yes")
    entries = weft.json("audit", "list", "--action", "topic.", "--from", "1h")["items"]
    assert [(e["action"], e["actor"]["name"]) for e in entries[:2]] == \
        [("topic.delete", "first operator"), ("topic.create", "first operator")]
    assert weft.json("audit", "cell", "--in", "main", "--limit", "1")["items"] == entries[:1]
    assert weft.json("audit", "cell", "--to", "2020-01-01")["items"] == []
    assert "topic.delete" in weft.ok("audit", "list")


def test_cell(weft):
    """The cell of one node: its status, its node, its tokens, its authority."""
    text = weft.ok("cell", "status")
    assert "leader    node 1" in text and "the cell survives the loss of none" in text
    value = weft.json("cell", "status")
    assert value["nodes"][0]["leader"] and value["cell"]["counts"]["clusters"] >= 1
    assert yaml.safe_load(weft.ok("cell", "status", "-o", "yaml"))["nodes"][0]["id"] == 1
    assert weft.json("cell", "node", "show", "1")["role"] == "voter"
    assert weft.json("cell", "node", "show", value["nodes"][0]["name"])["id"] == 1
    assert "409" in weft.refused(5, "cell", "node", "remove", "1", "--yes")
    done = weft.run("cell", "join-token", "create", "--name", "m2", "-o", "json")
    assert json.loads(done.stdout)["ca_fingerprint"] in done.stderr
    assert "--join https://127.0.0.1" in done.stderr
    assert weft.json("cell", "join-token", "show", "m2")["used_at_ms"] is None
    weft.ok("cell", "join-token", "revoke", "m2", "--yes")
    assert weft.json("cell", "join-token", "list")["items"] == []
    level = value["cell"]["feature_level"]
    assert weft.json("cell", "upgrade", "--feature-level", level, "--yes")["feature_level"] == level
    weft.refused(5, "cell", "upgrade", "--feature-level", level + 100, "--yes")


def test_openapi_is_ours(weft):
    """The control plane serves the description that the commands are held to."""
    with open(ROOT / "proto" / "openapi.json", encoding="utf-8") as file:
        assert weft.json("api", "GET", "/api/v1/openapi.json") == json.load(file)


def test_wrong_token_and_ca(weft, plane, tmp_path):
    """A wrong token, and a cell of another CA, with a real handshake."""
    assert "401" in weft.refused(4, "topic", "list", "--token", "weft_api_no")
    with ControlPlane(tmp_path / "other") as other:
        err = weft.refused(6, "topic", "list", "--server", other.people_url)
        assert "is not trusted" in err
        ours = (plane.data / "ca.fingerprint").read_text().strip()
        err = weft.refused(6, "login", other.people_url, "--ca-fingerprint", ours, "--token", "x")
        assert "another CA" in err
        err = weft.refused(6, "login", other.people_url, "--token", "x")
        assert (other.data / "ca.fingerprint").read_text().strip() in err


def test_ca_rotation(tmp_path):
    """People go on over a change of the CA; after the old one is retired they log in again."""
    with ControlPlane(tmp_path / "plane") as plane:
        weft = log_in(Weft(tmp_path), plane)
        old = weft.json("cell", "ca", "list")["items"][0]["fingerprint"]
        new = weft.json("cell", "ca", "rotate", "--yes")["fingerprint"]
        assert new != old
        weft.ok("whoami")
        states = {c["fingerprint"]: c["state"] for c in weft.json("cell", "ca", "list")["items"]}
        assert states == {old: "trusted", new: "signing"}
        token = f"@{plane.data / 'admin-token'}"
        weft.ok("login", plane.people_url, "--token", token)
        # Refused until the node has a certificate of the new one, which takes it a moment.
        until = time.monotonic() + RENEWED_S
        while (done := weft.run("cell", "ca", "retire", old[:12], "--yes")).returncode == 5:
            assert "wait until they have renewed" in done.stderr
            assert time.monotonic() < until
            time.sleep(0.5)
        assert done.returncode == 0, done.stderr
        weft.ok("whoami")
        weft.ok("login", plane.people_url, "--token", token)
        assert weft.json("context", "show")["ca_fingerprint"] == new


# ---- backups ----

def test_backup(weft, plane, tmp_path):
    """A backup is made, checked, listed, and another cell begins from it."""
    path = tmp_path / "cell.weft"
    made = weft.json("backup", "create", path)
    assert made["applied_index"] > 0 and made["cell_id"] == weft.json("cell", "status")["cell"]["id"]
    assert path.stat().st_size == made["size_bytes"] and path.stat().st_mode & 0o777 == 0o600
    assert weft.json("backup", "verify", path) == made
    listed = weft.json("backup", "list")["items"][0]
    assert listed["sha256"] == made["sha256"] and str(path) in listed["place"]
    assert weft.json("backup", "show", listed["id"][:8]) == listed
    assert f"to index {made['applied_index']}" in weft.ok("cell", "status")
    before = len(weft.json("backup", "list")["items"])
    weft.ok("backup", "create", path, "--force", "--no-record")
    assert len(weft.json("backup", "list")["items"]) == before
    assert weft.json("backup", "record", path)["sha256"] == weft.json("backup", "verify",
                                                                      path)["sha256"]
    assert weft.refused(5, "backup", "create", path)
    # The tokens of the old cell are those of the new one: control.py looks for one here.
    (tmp_path / "restored" / "controlplane").mkdir(parents=True)
    token = (plane.data / "admin-token").read_text()
    (tmp_path / "restored" / "controlplane" / "admin-token").write_text(token)
    with ControlPlane(tmp_path / "restored", restore=path,
                      cell_key_file=plane.data / "cell.key") as restored:
        again = Weft(tmp_path / "again")
        again.ok("login", restored.people_url, "--ca-file", plane.ca_file, "--token",
                 f"@{plane.data / 'admin-token'}")
        assert again.json("topic", "show", "kept", "-c", "main")["records"] == 10


def test_damaged_backup(weft, tmp_path):
    """Every damaged or cut backup is found."""
    path = tmp_path / "cell.weft"
    weft.ok("backup", "create", path, "--no-record")
    whole = path.read_bytes()
    bad = tmp_path / "bad"
    for at in (0, 20, 70, 80, len(whole) // 2, len(whole) - 50, len(whole) - 1):
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        assert str(bad) in weft.refused(1, "backup", "verify", bad), at
        assert str(bad) in weft.refused(1, "backup", "fetch", bad, tmp_path / "copy"), at
        assert not list(tmp_path.glob("copy*"))
    for cut in (0, 10, 72, len(whole) // 2, len(whole) - 1):
        bad.write_bytes(whole[:cut])
        weft.refused(1, "backup", "verify", bad)
    bad.write_bytes(whole + b"x")
    weft.refused(1, "backup", "verify", bad)


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A real S3 server."""
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as server:
        yield server


def test_backup_into_a_store(weft, s3, tmp_path):
    """A backup goes into an object store, is checked there, never overwritten, and comes
    back into a file as it was."""
    s3.make_bucket("backups")
    url = s3.url("backups", "cell-1")
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    made = json.loads(weft.ok("backup", "create", url, "-o", "json", **keys))
    assert made["place"] == "s3://backups/cell-1"
    assert json.loads(weft.ok("backup", "verify", url, "-o", "json", **keys)) == made
    weft.refused(5, "backup", "create", url, **keys)
    weft.refused(1, "backup", "verify", s3.url("backups", "absent"), **keys)
    copy = tmp_path / "copy"
    fetched = json.loads(weft.ok("backup", "fetch", url, copy, "-o", "json", **keys))
    assert fetched == made and copy.stat().st_mode & 0o777 == 0o600
    assert json.loads(weft.ok("backup", "verify", copy, "-o", "json"))["sha256"] == made["sha256"]
    weft.refused(5, "backup", "fetch", url, copy, **keys)
    weft.ok("backup", "fetch", url, copy, "--force", **keys)
    weft.refused(1, "backup", "fetch", s3.url("backups", "absent"), copy, "--force", **keys)
    assert copy.stat().st_size == made["size_bytes"], "what was there is kept"


# ---- three nodes ----

@contextlib.contextmanager
def cell_of_three(directory):
    """A cell of three by dev-cluster; a function that runs one of its commands."""
    def dev(command, *words):
        return subprocess.run([sys.executable, str(ROOT / "scripts" / "dev-cluster"), command,
                               *words, "--dir", str(directory)], check=True, timeout=LIMIT_S,
                              capture_output=True, text=True).stdout
    try:
        dev("up", "--control-planes", "3", "--agents", "0")
        yield dev
    finally:
        dev("down")


def test_three_nodes(tmp_path):
    """Who leads is seen and moved; a killed leader is passed over; a lost node removed; and
    when nobody leads, the status says which nodes answer."""
    with cell_of_three(tmp_path / "cell") as dev:
        weft = Weft(tmp_path)
        data = tmp_path / "cell" / "data" / "controlplane-1"
        urls = [line.split()[2] for line in dev("status").splitlines()]
        weft.ok("login", urls[2], "--ca-fingerprint", (data / "ca.fingerprint").read_text(),
                "--token", f"@{data / 'admin-token'}")
        assert set(weft.json("context", "show")["servers"]) == set(urls)
        status = weft.json("cell", "status")
        assert [n["role"] for n in status["nodes"]] == ["voter"] * 3
        leader = status["cell"]["leader"]
        heir = leader % 3 + 1
        weft.ok("cell", "transfer", heir)
        assert weft.json("cell", "status")["cell"]["leader"] == heir
        assert weft.run("cell", "status").stdout.count(" voter ") == 3

        dev("kill", f"controlplane-{heir}")
        begin = time.monotonic()
        weft.ok("cluster", "create", "after-the-kill")
        assert time.monotonic() - begin < 10
        assert weft.refused(5, "cluster", "create", "after-the-kill")
        deadline = time.monotonic() + 30
        while "does not answer" not in (text := weft.ok("cell", "status")):
            assert time.monotonic() < deadline, text
        assert f"node {heir} does not answer" in text

        weft.ok("cell", "node", "remove", heir, "--yes", "--wait", "--wait-timeout", "60s")
        assert len(weft.json("cell", "status")["nodes"]) == 2

        left = [i for i in (1, 2, 3) if i != heir]
        dev("kill", f"controlplane-{left[0]}")
        deadline = time.monotonic() + 30  # the leader's lease ends after a while
        while (done := weft.run("cell", "status", "--timeout", "3s")).returncode == 0:
            assert time.monotonic() < deadline
        err = done.stderr
        assert done.returncode == 6
        assert f"{urls[left[1] - 1]}: not ready" in err
        assert f"{urls[left[0] - 1]}: " in err
