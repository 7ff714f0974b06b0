"""`weft`, the command line: every command against what proto/openapi.json says, faults of
servers and networks, terminals and pipes, completion in real shells.

The server here is tests/lib/fake_api.py, which holds every call to the description and can
misbehave at will; test_cli_cell.py runs the commands against real control planes.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import stat
import struct
import subprocess
import termios
import time
import urllib.parse

import pytest
import yaml
from fake_api import A_UUID, NOW_MS, ROOT, FakeApi, problem

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release")).resolve()
WEFT = str(BUILD / "weft")
LIMIT_S = 60


class Weft:
    """`weft` with a home of its own, logged in to a server."""

    def __init__(self, home, api=None):
        self.env = {"HOME": str(home), "PATH": f"{BUILD}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.home = pathlib.Path(home)
        if api is not None:
            self.env |= {"WEFT_SERVER": api.url, "WEFT_CA_FILE": str(api.ca_file),
                         "WEFT_TOKEN": "weft_secret"}

    @property
    def config(self):
        """The file of contexts."""
        return self.home / ".config" / "weft" / "config.json"

    def run(self, *words, stdin="", **env):
        """Run; the completed process."""
        return subprocess.run([WEFT, *map(str, words)], input=stdin, capture_output=True,
                              text=True, env=self.env | env, timeout=LIMIT_S, check=False)

    def ok(self, *words, **more):
        """Run; standard output, when the exit code is 0."""
        done = self.run(*words, **more)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def refused(self, code, *words, **more):
        """Run; standard error, when the exit code is CODE."""
        done = self.run(*words, **more)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stderr

    def json(self, *words):
        """Run with -o json; the value."""
        return json.loads(self.ok(*words, "-o", "json"))

    def on_terminal(self, *words, answers="", columns=80, **env):
        """Run on a terminal of COLUMNS, typing ANSWERS; (exit code, all that it showed)."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(WEFT, [WEFT, *map(str, words)], self.env | env)
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        shown, deadline, left = b"", time.monotonic() + LIMIT_S, answers
        while time.monotonic() < deadline:
            if not select.select([fd], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
            if left and re.search(rb"(\[y/N\]|token:) $", shown):
                os.write(fd, left.encode())
                left = ""
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A directory with a CA and a server's certificate."""
    return tmp_path_factory.mktemp("fake-ca")


@pytest.fixture
def api(certificates):
    """A server that keeps to the description; a test ends with no call beside it."""
    with FakeApi(certificates) as api:
        yield api
        assert api.problems == []


@pytest.fixture
def weft(tmp_path, api):
    """Logged in by the environment."""
    return Weft(tmp_path, api)


@pytest.fixture
def stranger(tmp_path):
    """Not logged in to anything."""
    return Weft(tmp_path)


# ---- every command ----

C = ("--cluster", A_UUID)
COMMANDS = [
    ("whoami", "whoami"),
    ("cluster list --name a --contains b --sort -name --limit 5 --after x", "listClusters"),
    (f"cluster show {A_UUID}", "getCluster"),
    ("cluster create orders", "createCluster"),
    (f"cluster rename {A_UUID} other --revision 4", "alterCluster"),
    (f"cluster delete {A_UUID} --yes --revision 4", "deleteCluster"),
    (f"cluster limits show {A_UUID}", "getLimits"),
    (f"cluster limits set {A_UUID} --agents 1 --topics 2 --partitions 3 --requests-per-second 4 "
     "--metadata-bytes 512MiB", "alterLimits"),
    ("agent list --zone z --version 1 --state active --sort -host", "listAgents"),
    (f"agent show {A_UUID}", "getAgent"),
    (f"agent drain {A_UUID}", "alterAgent"),
    (f"agent resume {A_UUID}", "alterAgent"),
    (f"agent forget {A_UUID} --yes", "forgetAgent"),
    ("topic list --name a --contains b --sort name", "listTopics"),
    ("topic show orders", "getTopic"),
    ("topic create orders -p 3 --replication-factor 3 --config retention.ms=1 --config a=b=c",
     "createTopic"),
    ("topic alter orders -p 5 --config a=1 --unset b", "alterTopic"),
    ("topic delete orders -y", "deleteTopic"),
    ("topic partitions orders --limit 7", "listPartitions"),
    ("group list --contains a --state Stable --type classic --sort -members", "listGroups"),
    ("group describe billing", "getGroup"),
    ("group lag billing --topic orders --limit 7", "listGroupOffsets"),
    ("group reset-offsets billing --topic orders --to-earliest", "resetGroupOffsets"),
    ("group delete billing -y --revision 3", "deleteGroup"),
    (f"token list --user {A_UUID} --sort -created_at_ms", "listTokens"),
    (f"token show {A_UUID}", "getToken"),
    (f"token create ci --role admin --cluster {A_UUID} --user {A_UUID} --ttl 30d", "createToken"),
    (f"token revoke {A_UUID} -y", "deleteToken"),
    ("token enrolment list", "listEnrolmentTokens"),
    (f"token enrolment show {A_UUID}", "getEnrolmentToken"),
    ("token enrolment create", "createEnrolmentToken"),
    ("token enrolment create --name n --ttl 1h --single-use", "createEnrolmentToken"),
    (f"token enrolment revoke {A_UUID} -y", "deleteEnrolmentToken"),
    ("user list --name a --contains b --sort name", "listUsers"),
    (f"user show {A_UUID}", "getUser"),
    (f"user create alice --role viewer --cluster {A_UUID} --email a@example.com", "createUser"),
    (f"user alter {A_UUID} --name b --role admin --email= --disabled", "alterUser"),
    (f"user delete {A_UUID} -y", "deleteUser"),
    ("usage list --from 24h --to 2026-01-31T10:00:00Z --sort -hour_ms", "listUsage"),
    ("usage overview", "getOverview"),
    ("usage cell --from 2026-01-01 --to 2026-02-01", "listAllUsage"),
    (f"audit list --from 1h --to 1s --action topic --actor {A_UUID} --sort at_ms",
     "listClusterAudit"),
    (f"audit cell --in {A_UUID} --action topic.create", "listAudit"),
    ("cell upgrade --feature-level 2 -y", "alterCell"),
    ("cell transfer", "transferLeadership"),
    ("cell transfer 3", "transferLeadership"),
    ("cell node list", "listNodes"),
    ("cell node show 2", "getNode"),
    ("cell node promote 2", "promoteNode"),
    ("cell node demote 2 -y", "demoteNode"),
    ("cell node remove 2 -y --revision 7", "removeNode"),
    ("cell join-token list", "listJoinTokens"),
    (f"cell join-token show {A_UUID}", "getJoinToken"),
    ("cell join-token create --name n --ttl 30m", "createJoinToken"),
    (f"cell join-token revoke {A_UUID} -y", "deleteJoinToken"),
    ("cell ca list", "listCas"),
    ("cell ca rotate -y", "createCa"),
    (f"cell ca retire {'5f' * 32} -y", "retireCa"),
    ("backup list", "listBackups"),
    (f"backup show {A_UUID}", "getBackup"),
]


@pytest.mark.parametrize("line,operation", COMMANDS, ids=[c[0].split(" -")[0] for c in COMMANDS])
def test_every_command(weft, api, line, operation):
    """Each command makes the call of its row, in the form that the description wants; its
    JSON and its YAML are the same value, and its table is no line too short."""
    words = line.split()
    scoped = "{cluster}" in next(o[2] for o in api.contract.operations
                                 if o[3]["operationId"] == operation) and words[0] != "cluster"
    words += C if scoped else ()
    table = weft.ok(*words)
    assert api.calls[-1].operation == operation
    assert api.calls[-1].headers["authorization"] == "Bearer weft_secret"
    as_json = weft.ok(*words, "-o", "json")
    as_yaml = weft.ok(*words, "-o", "yaml")
    assert (as_json == "") == (as_yaml == "") == (table == "")
    if as_json:
        value = json.loads(as_json)
        assert value == yaml.safe_load(as_yaml)
        assert value == api.example(api.contract.find(api.calls[-1].method,
                                                      api.calls[-1].path)[0])[1]
        assert "\x1b" not in table


def test_values_of_flags(weft, api):
    """Units become numbers, pairs an object, --unset null; what is not given is not sent."""
    weft.ok("topic", "alter", "orders", *C, "--config", "a=b=c", "--unset", "d", "-p", "9")
    assert api.calls[-1].body == {"configs": {"a": "b=c", "d": None}, "partitions": 9}
    weft.ok("topic", "create", "plain", *C)
    assert api.calls[-1].body == {"name": "plain"}
    weft.ok("token", "create", "x", "--role", "viewer", "--ttl", "2d")
    assert api.calls[-1].body == {"name": "x", "role": "viewer", "ttl_ms": 172800000}
    weft.ok("user", "alter", A_UUID, "--disabled=false")
    assert api.calls[-1].body == {"disabled": False}
    weft.ok("cluster", "limits", "set", A_UUID, "--metadata-bytes", "1GiB")
    assert api.calls[-1].body == {"metadata_bytes": 1 << 30}
    weft.ok("usage", "cell", "--from", "2026-01-31")
    assert api.calls[-1].query == {"from_ms": "1769817600000"}
    weft.ok("agent", "drain", A_UUID, *C, "--revision", "42")
    assert api.calls[-1].headers["if-match"] == '"42"'
    assert api.calls[-1].body == {"wanted_state": "draining"}
    assert "nothing is to be changed" in weft.refused(2, "topic", "alter", "orders", *C)


def test_reset_offsets(weft, api, tmp_path):
    """Where to, which partitions, and --execute, as the API wants them; without --execute
    nothing is changed; lines of a file go back and forth."""
    def sent(*words):
        weft.ok("group", "reset-offsets", "g", *C, *words)
        return api.calls[-1].body

    assert sent("--topic", "a", "--topic", "b:0,2", "--to-offset", "7") == {
        "to": "offset", "offset": 7, "dry_run": True,
        "topics": [{"topic": "a"}, {"topic": "b", "partitions": [0, 2]}]}
    assert sent("--all-topics", "--shift-by=-10", "--execute") == {
        "to": "shift", "shift": -10, "all_topics": True, "dry_run": False}
    assert sent("--all-topics", "--shift-by", "3")["shift"] == 3
    assert sent("--all-topics", "--by-duration", "2h") == {
        "to": "age", "age_ms": 7200000, "all_topics": True, "dry_run": True}
    assert sent("--all-topics", "--to-datetime", "2026-01-31")["time_ms"] == 1769817600000
    for to in ("earliest", "latest", "current"):
        assert sent("--all-topics", f"--to-{to}")["to"] == to
    (tmp_path / "plan").write_text("a.b,0,5\r\n\na.b,1,6\n")
    assert sent("--from-file", tmp_path / "plan", "--execute") == {
        "to": "list", "dry_run": False, "offsets": [
            {"topic": "a.b", "partition": 0, "offset": 5},
            {"topic": "a.b", "partition": 1, "offset": 6}]}
    api.route("POST", "/api/v1/clusters/{cluster}/groups/{group}/reset-offsets", (200, {
        "group": "g", "dry_run": True, "items": [
            {"topic": "a", "partition": 3, "offset": 9, "offset_before": None}]}))
    assert weft.ok("group", "reset-offsets", "g", *C, "--all-topics", "--to-current",
                   "--export") == "a,3,9\n"
    for words, what in ((["--all-topics"], "say where to"),
                        (["--to-earliest"], "which offsets"),
                        (["--to-earliest", "--to-latest", "--all-topics"], "say where to"),
                        (["--to-earliest", "--topic", "a:x"], "--topic a:x"),
                        (["--shift-by", "x", "--all-topics"], "--shift-by"),
                        (["--from-file", tmp_path / "plan", "--all-topics"], "leave")):
        assert what in weft.refused(2, "group", "reset-offsets", "g", *C, *words)
    (tmp_path / "plan").write_text("a,0,1\na,one,1\n")
    assert "line 2" in weft.refused(1, "group", "reset-offsets", "g", *C, "--from-file",
                                    tmp_path / "plan")


def test_group_ids(weft, api):
    """An id with a slash, or a ~ in front, goes into the path in hex."""
    for name, path in (("a/b", "~612f62"), ("~x", "~7e78"), ("a b", "a%20b")):
        weft.ok("group", "describe", name, *C)
        assert api.calls[-1].path.endswith(f"/groups/{path}") or api.calls[-1].path.endswith(
            f"/groups/{urllib.parse.unquote(path)}")
        weft.ok("group", "delete", name, "-y", *C)
        assert urllib.parse.unquote(path) in urllib.parse.unquote(api.calls[-1].path)


def test_cell_status(weft, api):
    """At a glance: who leads, who is behind, the last backup, and what wants attention."""
    node = api.contract.example({"$ref": "#/components/schemas/Node"})
    now = int(time.time() * 1000)
    nodes = [node | {"id": i, "name": f"cp-{i}", "role": "voter", "leader": i == 2, "alive": i != 3,
                     "behind": 1200 if i == 3 else 0, "last_heard_ms": now - 300000,
                     "certificate_expires_at_ms": now + 20 * 86400000,
                     "people_url": f"https://cp-{i}:7800"} for i in (1, 2, 3)]
    api.route("GET", "/api/v1/cell/nodes", (200, {"items": nodes, "next": None}))
    cell = api.contract.example({"$ref": "#/components/schemas/Cell"})
    cell["last_backup"] |= {"taken_at_ms": now - 3 * 86400000, "place": "s3://backups/x"}
    api.route("GET", "/api/v1/cell", (200, cell | {"leader": 2}))
    text = weft.ok("cell", "status")
    assert "leader    node 2 (cp-2), https://cp-2:7800" in text
    assert "backup    3d ago, to index 7, 7 B, s3://backups/x" in text
    assert "node 3 does not answer; last heard of 5m ago" in text
    assert "2 of 3 voters answer: if one more fails, the cell stands still" in text
    assert "the last backup is 3d old" in text
    assert re.search(r"^ +3  cp-3 .* 1200 ", text, re.MULTILINE)
    value = weft.json("cell", "status")
    assert value["nodes"] == nodes and value["cell"]["leader"] == 2
    assert any("node 3" in line for line in value["attention"])
    api.route("GET", "/api/v1/cell", (200, cell | {"leader": 2, "last_backup": None}))
    assert "backup    none" in weft.ok("cell", "status")


def test_names_become_ids(weft, api):
    """Clusters, agents, users, tokens and nodes may be named; ids may be cut short."""
    weft.ok("topic", "list", "--cluster", "example")
    assert api.calls[-2].query == {"name": "example"}
    assert api.calls[-1].path == f"/api/v1/clusters/{A_UUID}/topics"

    def agents(_):
        one = api.contract.example({"$ref": "#/components/schemas/Agent"})
        return 200, {"items": [one | {"id": A_UUID, "node_id": 1, "host": "a", "port": 1},
                               one | {"id": A_UUID[:-1] + "c", "node_id": 2, "host": "b",
                                      "port": 9092}], "next": None}
    api.route("GET", "/api/v1/clusters/{cluster}/agents", agents)
    for name in ("2", "b", "b:9092", A_UUID[:-1] + "c"):
        weft.ok("agent", "show", name, *C)
        assert api.calls[-1].names["agent"] == A_UUID[:-1] + "c"
    assert "give the id" in weft.refused(2, "agent", "show", A_UUID[:8], *C)
    assert "there is no agent 7" in weft.refused(3, "agent", "show", "7", *C)
    weft.ok("cell", "ca", "retire", "5f5f5f", "--yes")
    assert api.calls[-1].names["fingerprint"] == "5f" * 32
    api.route("GET", "/api/v1/users", (200, {"items": [], "next": None}))
    assert "there is no user bob" in weft.refused(3, "user", "show", "bob")


def test_cluster_of_a_token(weft, api):
    """Without --cluster it is the environment's, the context's, the token's own, or the only
    one that there is."""
    weft.ok("topic", "list")
    assert [c.operation for c in api.calls] == ["whoami", "listTopics"]
    weft.ok("topic", "list", WEFT_CLUSTER=A_UUID)
    assert [c.operation for c in api.calls[2:]] == ["listTopics"]
    whoami = api.contract.example({"$ref": "#/components/schemas/Whoami"})
    api.route("GET", "/api/v1/whoami", (200, whoami | {"cluster_id": None}))
    one = api.contract.example({"$ref": "#/components/schemas/Cluster"}) | {"id": A_UUID}
    api.route("GET", "/api/v1/clusters", (200, {"items": [one], "next": None}))
    weft.ok("topic", "list")
    assert api.calls[-1].names["cluster"] == A_UUID
    two = [one, one | {"id": "0" * 8 + A_UUID[8:]}]
    api.route("GET", "/api/v1/clusters", (200, {"items": two, "next": None}))
    assert "Add --cluster NAME" in weft.refused(2, "topic", "list")


def test_api(weft, api):
    """Any route can be called by hand."""
    assert json.loads(weft.ok("api", "GET", "/api/v1/whoami")) == api.example(
        api.contract.find("GET", "/api/v1/whoami")[0])[1]
    weft.ok("api", "POST", "/api/v1/clusters", "--body", '{"name": "x"}')
    assert api.calls[-1].body == {"name": "x"}
    assert "JSON" in weft.refused(2, "api", "POST", "/api/v1/clusters", "--body", "{")
    weft.refused(2, "api", "HEAD", "/x")
    weft.refused(2, "api", "GET", "x")


# ---- lists ----

def pages(api, sizes, template="/api/v1/clusters/{cluster}/topics"):
    """Route a list of SIZES items a page."""
    topic = api.contract.example({"$ref": "#/components/schemas/Topic"})

    def answer(call):
        page = int(call.query.get("after", "0"))
        items = [topic | {"name": f"t-{page}-{i}"} for i in range(sizes[page])]
        return 200, {"items": items, "next": str(page + 1) if page + 1 < len(sizes) else None}
    api.route("GET", template, answer)


def test_all_pages(weft, api):
    """--all follows every page, an empty one too; without it one page and a note."""
    pages(api, [3, 0, 2])
    value = weft.json("topic", "list", *C, "--all")
    assert [t["name"] for t in value["items"]] == ["t-0-0", "t-0-1", "t-0-2", "t-2-0", "t-2-1"]
    assert value["next"] is None
    assert yaml.safe_load(weft.ok("topic", "list", *C, "--all", "-o", "yaml")) == value
    assert len(weft.ok("topic", "list", *C, "--all").splitlines()) == 6
    done = weft.run("topic", "list", *C, "-o", "json")
    assert json.loads(done.stdout)["next"] == "1" and len(json.loads(done.stdout)["items"]) == 3
    assert "--after '1'" in done.stderr
    assert weft.run("topic", "list", *C, "--quiet").stderr == ""
    assert weft.json("topic", "list", *C, "--after", "2")["items"][0]["name"] == "t-2-0"


def test_empty_list(weft, api):
    """An empty list is an empty answer for people and an empty list for programs."""
    pages(api, [0])
    done = weft.run("topic", "list", *C)
    assert (done.returncode, done.stdout) == (0, "") and "none" in done.stderr
    assert weft.json("topic", "list", *C) == {"items": [], "next": None}
    assert yaml.safe_load(weft.ok("topic", "list", *C, "-o", "yaml")) == {"items": [], "next": None}


# ---- terminals and pipes ----

def test_terminal_width(weft, api):
    """A table fits the terminal, with a mark where it is cut; a pipe gets all of it."""
    topic = api.contract.example({"$ref": "#/components/schemas/Topic"})
    api.route("GET", "/api/v1/clusters/{cluster}/topics",
              (200, {"items": [topic | {"name": "n" * 150}], "next": None}))
    code, shown = weft.on_terminal("topic", "list", *C, columns=70)
    assert code == 0 and "…" in shown
    assert all(len(line) <= 70 for line in shown.replace("\r", "").split("\n"))
    piped = weft.ok("topic", "list", *C)
    assert "n" * 150 in piped and "…" not in piped


def test_hostile_texts(weft, api):
    """What a server sends cannot steer the terminal, in no form of output."""
    evil = "a\x1b]0;x\x07\x9b31m\u202e"
    one = api.contract.example({"$ref": "#/components/schemas/User"})
    api.route("GET", "/api/v1/users", (200, {"items": [one | {"name": evil}], "next": None}))
    for form in ("table", "json", "yaml"):
        out = weft.ok("user", "list", "-o", form)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", out), form
    assert yaml.safe_load(weft.ok("user", "list", "-o", "yaml"))["items"][0]["name"] == evil
    assert weft.json("user", "list")["items"][0]["name"] == evil
    api.script(problem(409, "CONFLICT\x1b", evil))
    assert "\x1b" not in weft.refused(5, "user", "list")


def test_answers_that_make_no_sense(weft, api):
    """A server that answers nonsense gets an error, no crash and no empty success."""
    for answer in ((200, "<html>"), (200, {"items": 5}), (200, {}), (200, "[" * 1000),
                   (200, {"items": [], "next": 7})):
        api.script(answer)
        done = weft.run("topic", "list", *C)
        assert done.returncode == (0 if answer[1] == {"items": [], "next": 7} else 1), answer
    api.script((500, "<html>oops"))
    assert "500" in weft.refused(1, "topic", "list", *C)
    api.script((200, {"items": ["x", 5, None, []], "next": None}))
    weft.ok("topic", "list", *C)


def test_full_pipe(weft, api):
    """An answer that could not be written is a failure."""
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([WEFT, "whoami"], env=weft.env, stdout=full, check=False,
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
    assert done.returncode == 1 and "standard output" in done.stderr


# ---- questions ----

def test_destruction_asks(weft, api):
    """What destroys asks a person; without one nothing is sent unless --yes."""
    err = weft.refused(2, "topic", "delete", "orders", *C)
    assert "Delete topic orders" in err and "--yes" in err and api.calls == []
    code, shown = weft.on_terminal("topic", "delete", "orders", *C, answers="n\n")
    assert code == 2 and "[y/N]" in shown and api.calls == []
    code, _ = weft.on_terminal("topic", "delete", "orders", *C, answers="y\n")
    assert code == 0 and [c.operation for c in api.calls] == ["deleteTopic"]
    weft.ok("topic", "delete", "orders", *C, "--yes")


# ---- waiting ----

def test_wait(weft, api):
    """--wait returns when it is so, showing what goes on; the last answer is printed."""
    node = api.contract.example({"$ref": "#/components/schemas/Node"})
    roles = ["joining", "standby", "standby", "voter"]
    api.route("GET", "/api/v1/cell/nodes/{node}",
              lambda _: (200, node | {"role": roles.pop(0), "behind": len(roles)}))
    done = weft.run("cell", "node", "promote", "2", "--wait", "-o", "json")
    assert done.returncode == 0 and json.loads(done.stdout)["role"] == "voter"
    assert "waiting for node 2 to be a voter, role standby, behind 2" in done.stderr


def test_wait_until_gone(weft, api):
    """What is removed is waited for until it is not there any more."""
    node = api.contract.example({"$ref": "#/components/schemas/Node"})
    answers = [(200, node | {"role": "leaving"}), problem(404, "NOT_FOUND", "gone")]
    api.route("GET", "/api/v1/cell/nodes/{node}", lambda _: answers.pop(0))
    weft.ok("cell", "node", "remove", "2", "--yes", "--wait")
    assert answers == []
    cell = api.contract.example({"$ref": "#/components/schemas/Cell"})
    states = [True, False]
    api.route("GET", "/api/v1/cell", lambda _: (200, cell | {"purge_pending": states.pop(0)}))
    weft.ok("cluster", "delete", A_UUID, "--yes", "--wait")
    assert states == []


def test_wait_gives_up(weft, api):
    """After --wait-timeout the exit code says that it goes on."""
    node = api.contract.example({"$ref": "#/components/schemas/Node"})
    api.route("GET", "/api/v1/cell/nodes/{node}", (200, node | {"role": "standby"}))
    begin = time.monotonic()
    err = weft.refused(7, "cell", "node", "promote", "2", "--wait", "--wait-timeout", "400ms")
    assert "it goes on" in err and time.monotonic() - begin < 5


# ---- leaders, repeats, faults ----

def test_follows_the_leader(weft, api, certificates):
    """421 leads to the leader, with the same idempotency key and the token."""
    with FakeApi(certificates) as leader:
        api.route("POST", "/api/v1/clusters",
                  problem(421, "NOT_LEADER", "ask the leader", leader=leader.url))
        weft.ok("cluster", "create", "orders")
        assert leader.calls[0].headers["idempotency-key"] == \
            api.calls[0].headers["idempotency-key"]
        assert leader.calls[0].headers["authorization"] == "Bearer weft_secret"
        assert leader.problems == []


def test_leader_in_dispute(weft, api, certificates):
    """Two nodes that name each other as leader are not asked in a mad rush."""
    with FakeApi(certificates) as other:
        api.route("GET", "/api/v1/whoami", problem(421, "NOT_LEADER", "not me", leader=other.url))
        other.route("GET", "/api/v1/whoami", problem(421, "NOT_LEADER", "not me", leader=api.url))
        weft.refused(6, "whoami", "--timeout", "2s")
        assert 4 <= len(api.calls) + len(other.calls) < 60


def test_leader_of_another_ca_gets_nothing(weft, api, tmp_path):
    """A redirect to a server that the cell's CA does not vouch for is not followed."""
    with FakeApi(tmp_path / "other-ca") as thief:
        api.route("GET", "/api/v1/whoami",
                  problem(421, "NOT_LEADER", "there", leader=thief.url))
        weft.refused(6, "whoami", "--timeout", "1s")
        for leader in ("http://127.0.0.1:1", "https://x@127.0.0.1:1", "gopher://x", "", "x\ny"):
            api.route("GET", "/api/v1/whoami", problem(421, "NOT_LEADER", "there", leader=leader))
            weft.refused(6, "whoami", "--timeout", "300ms")
        assert thief.calls == []


@pytest.mark.parametrize("status,code", [(503, "UNAVAILABLE"), (429, "OVERLOADED"),
                                         (421, "NOT_LEADER"), (504, "TIMEOUT")])
def test_tries_again(weft, api, status, code):
    """What passes is tried again, as late as Retry-After says, under one key."""
    refusal = problem(status, code, "later")
    api.script(refusal, refusal + ({"Retry-After": "1"},))
    begin = time.monotonic()
    weft.ok("cluster", "create", "orders")
    assert time.monotonic() - begin >= 1
    assert len({c.headers["idempotency-key"] for c in api.calls}) == 1 and len(api.calls) == 3


def test_lost_answers(weft, api):
    """A connection that breaks without an answer is tried again, under one key."""
    api.script(None, None)
    weft.ok("cluster", "create", "orders")
    assert len({c.headers["idempotency-key"] for c in api.calls}) == 1 and len(api.calls) == 3
    weft.ok("cluster", "create", "orders")
    assert len({c.headers["idempotency-key"] for c in api.calls}) == 2


def test_delete_whose_answer_was_lost(weft, api):
    """A DELETE that is repeated and finds nothing was done; the first one was not."""
    api.script(None, problem(404, "NOT_FOUND", "no such topic"))
    weft.ok("topic", "delete", "orders", *C, "--yes")
    api.script(problem(404, "NOT_FOUND", "no such topic"))
    weft.refused(3, "topic", "delete", "orders", *C, "--yes")


def test_second_server(weft, api):
    """A node that is down is passed over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"https://127.0.0.1:{listener.getsockname()[1]}"
    weft.ok("whoami", WEFT_SERVER=f"{dead},{api.url}")
    weft.ok("whoami", "--server", dead, "--server", api.url)


@pytest.mark.parametrize("status,code,exit_code", [
    (400, "MALFORMED", 1), (401, "UNAUTHENTICATED", 4), (403, "FORBIDDEN", 4),
    (404, "NOT_FOUND", 3), (409, "EXISTS", 5), (412, "STALE", 5), (413, "TOO_LARGE", 1),
    (422, "INVALID", 1), (500, "INTERNAL", 1), (507, "NO_SPACE", 1)])
def test_exit_codes(weft, api, status, code, exit_code):
    """Each kind of refusal has its exit code, and says what the server said to do."""
    api.script(problem(status, code, "do this and that"))
    err = weft.refused(exit_code, "cluster", "create", "orders")
    assert f"weft cluster create: title of {code} ({status} {code})" in err
    assert "  do this and that" in err and len(api.calls) == 1


def test_unreachable(weft):
    """Nobody there: an error that says so, in time, and how to wait longer."""
    begin = time.monotonic()
    err = weft.refused(6, "whoami", "--server", "https://127.0.0.1:1", "--timeout", "1s")
    assert "no answer from https://127.0.0.1:1" in err and "--timeout" in err
    assert time.monotonic() - begin < 4
    weft.refused(6, "whoami", "--server", "https://no-such-host.invalid:1", "--timeout", "1s")
    weft.refused(2, "whoami", "--server", "http://127.0.0.1:1")


def test_silent_server(weft):
    """A server that accepts and never answers is given up after --timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin = time.monotonic()
        weft.refused(6, "whoami", "--server", f"https://127.0.0.1:{listener.getsockname()[1]}",
                     "--timeout", "1s")
        assert time.monotonic() - begin < 4


def test_secrets_stay_secret(weft, api):
    """Neither --verbose nor an error shows a token."""
    done = weft.run("whoami", "--verbose")
    assert "GET https://127.0.0.1" in done.stderr and "weft_secret" not in done.stderr
    api.script(problem(401, "UNAUTHENTICATED", "unknown token"))
    assert "weft_secret" not in weft.refused(4, "whoami", "--verbose")
    assert "weft_secret" not in weft.refused(2, "whoami", "--token", "weft_secret", "--token", "x")


# ---- trust and contexts ----

def test_login_needs_trust(stranger, api):
    """Without a fingerprint the one that is there is shown, and nothing else is sent."""
    err = stranger.refused(6, "login", api.url, "--token", "-", stdin="weft_secret\n")
    assert api.fingerprint in err and f"--ca-fingerprint {api.fingerprint}" in err
    err = stranger.refused(6, "login", api.url, "--ca-fingerprint", "0" * 64, "--token", "-",
                           stdin="weft_secret\n")
    assert "another CA" in err and api.fingerprint in err
    stranger.refused(2, "login", api.url, "--ca-fingerprint", "abc", "--token", "x")
    assert {c.path for c in api.calls} == {"/api/v1/ca"}
    assert all("authorization" not in c.headers for c in api.calls)
    assert not stranger.config.exists()


def login(weft, api, *more, stdin="weft_secret\n"):
    """Log in as people do."""
    return weft.run("login", api.url, "--ca-fingerprint", api.fingerprint, "--token", "-", *more,
                    stdin=stdin)


def test_login(stranger, api):
    """A login makes a context, kept where only its owner reads, with all the cell's nodes."""
    node = api.contract.example({"$ref": "#/components/schemas/Node"})
    api.route("GET", "/api/v1/cell/nodes", (200, {"items": [
        node | {"people_url": api.url}, node | {"people_url": "https://cp-2.example:7800"}],
        "next": None}))
    done = login(stranger, api, "--name", "prod")
    assert done.returncode == 0 and "logged in to" in done.stderr and done.stdout == ""
    assert stat.S_IMODE(stranger.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(stranger.config.parent.stat().st_mode) == 0o700
    kept = json.loads(stranger.config.read_text())
    assert kept["current"] == "prod"
    assert kept["contexts"]["prod"]["servers"] == [api.url, "https://cp-2.example:7800"]
    assert kept["contexts"]["prod"]["cluster"] == A_UUID
    stranger.ok("whoami")
    assert api.calls[-1].headers["authorization"] == "Bearer weft_secret"
    assert "weft_secret" not in stranger.ok("context", "show", "-o", "json")


def test_login_to_many(stranger, api):
    """Of several addresses one that answers is enough; all are kept, in their order."""
    gone = "https://127.0.0.1:1"
    done = stranger.run("login", f"{gone},{api.url},{gone}", "--ca-fingerprint",
                        api.fingerprint, "--token", "-", "--name", "prod",
                        stdin="weft_secret\n")
    assert done.returncode == 0, done.stderr
    kept = json.loads(stranger.config.read_text())["contexts"]["prod"]["servers"]
    assert kept[:2] == [gone, api.url]
    stranger.ok("whoami")
    stranger.refused(2, "login", f"{api.url},nonsense://x", "--token", "-", stdin="x")
    stranger.refused(2, "login", ",", "--token", "-", stdin="x")


def test_login_again(stranger, api):
    """The second login to a context needs a token only; a refused one changes nothing."""
    assert login(stranger, api).returncode == 0
    before = stranger.config.read_text()
    api.script(problem(401, "UNAUTHENTICATED", "no"))
    stranger.refused(4, "login", api.url, "--token", "-", stdin="wrong")
    assert stranger.config.read_text() == before
    stranger.ok("login", api.url, "--token", "-", stdin="better")
    assert "better" in stranger.config.read_text()


def test_login_by_file_and_on_terminal(stranger, api):
    """The CA may be a file; a token may be typed, and is not shown."""
    code, shown = stranger.on_terminal("login", api.url, "--ca-file", api.ca_file,
                                       answers="weft_typed\n")
    assert code == 0 and "weft_typed" not in shown, shown
    assert "weft_typed" in stranger.config.read_text()
    err = stranger.refused(2, "login", api.url, "--ca-file", api.ca_file)
    assert "admin-token" in err
    stranger.refused(1, "login", api.url, "--ca-file", "/etc/passwd", "--token", "x")


def test_another_ca(weft, api, tmp_path):
    """A server of another CA is refused, and what to do is said; nothing was sent."""
    with FakeApi(tmp_path / "other-ca") as other:
        err = weft.refused(6, "whoami", "--server", other.url)
        assert "is not trusted" in err and "--ca-fingerprint" in err and other.calls == []


def test_contexts(stranger, api):
    """Contexts are listed, chosen, changed, emptied and removed."""
    assert login(stranger, api, "--name", "one").returncode == 0
    assert login(stranger, api, "--name", "two", "--cluster", "orders").returncode == 0
    items = stranger.json("context", "list")["items"]
    assert [(i["name"], i["current"]) for i in items] == [("one", False), ("two", True)]
    stranger.ok("context", "use", "one")
    assert stranger.json("context", "show")["name"] == "one"
    assert stranger.json("context", "show", "two")["cluster"] == "orders"
    stranger.ok("context", "set", "--cluster", "other")
    assert stranger.json("context", "show")["cluster"] == "other"
    stranger.ok("context", "set", "two", "--servers", "https://a:1,https://b:2")
    assert stranger.json("context", "show", "two")["servers"] == ["https://a:1", "https://b:2"]
    stranger.refused(2, "context", "set", "two", "--servers", "http://a:1")
    stranger.refused(3, "context", "use", "three")
    stranger.refused(4, "whoami", "--context", "three")
    stranger.refused(4, "whoami", WEFT_CONTEXT="three")
    stranger.ok("logout")
    assert "there is no token in the context one" in stranger.refused(4, "whoami")
    stranger.refused(2, "context", "remove", "one")
    stranger.ok("context", "remove", "one", "--yes")
    assert [i["name"] for i in stranger.json("context", "list")["items"]] == ["two"]
    assert "weft context use" in stranger.refused(3, "context", "show")


def test_nobody_is_logged_in(stranger):
    """The first run says how to begin; a config that others can read is refused."""
    assert "weft login" in stranger.refused(4, "topic", "list")
    stranger.config.parent.mkdir(parents=True)
    stranger.config.write_text('{"version": 1, "contexts": {}}')
    stranger.config.chmod(0o644)
    assert "chmod 600" in stranger.refused(4, "topic", "list")


# ---- backups ----

def test_backup_that_is_none(weft, api, tmp_path):
    """What comes is checked before it gets its name: a bad download leaves nothing."""
    for content in (b"", b"hello" * 1000, b"WEFTSNAP" + b"\0" * 500):
        api.route("GET", "/api/v1/backups/download", (200, content))
        weft.refused(1, "backup", "create", tmp_path / "backup")
    api.route("GET", "/api/v1/backups/download", problem(403, "FORBIDDEN", "no"))
    weft.refused(4, "backup", "create", tmp_path / "backup")
    assert [p.name for p in tmp_path.iterdir() if "backup" in p.name] == []
    weft.refused(1, "backup", "create", tmp_path / "none" / "backup")
    weft.refused(2, "backup", "create", "s3://bucket")
    (tmp_path / "backup").write_text("mine")
    assert "there already" in weft.refused(5, "backup", "create", tmp_path / "backup")
    weft.refused(4, "backup", "create", tmp_path / "backup", "--force")
    assert (tmp_path / "backup").read_text() == "mine"
    weft.refused(1, "backup", "verify", tmp_path / "backup")
    weft.refused(1, "backup", "verify", tmp_path / "absent")
    weft.refused(1, "backup", "verify", "s3://bucket")


def test_interrupted_backup(weft, api, tmp_path):
    """Ctrl-C during a download removes what was written so far."""
    def slow(_):
        time.sleep(5)
        return 200, b"x"
    api.route("GET", "/api/v1/backups/download", slow)
    child = subprocess.Popen([WEFT, "backup", "create", str(tmp_path / "backup")], env=weft.env,
                             stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("backup.part-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.glob("backup.part-*"))
    child.terminate()
    assert child.wait(20) == -15
    assert not list(tmp_path.glob("backup*"))


# ---- completion ----

def complete(weft, *words):
    """The candidates that the shells are told."""
    return [line.split("\t")[0] for line in weft.ok("__complete", *words).splitlines()]


def test_candidates(weft, api):
    """Words, flags, their values, and names of the API; quiet when there is none."""
    assert {"topic", "cluster", "cell", "backup", "login", "help"} <= set(complete(weft, ""))
    assert complete(weft, "to") == ["topic", "token"]
    assert complete(weft, "topic", "cr") == ["create"]
    assert complete(weft, "cell", "node", "p") == ["promote"]
    assert "--partitions" in complete(weft, "topic", "create", "x", "--p")
    assert complete(weft, "topic", "list", "-o", "") == ["table", "json", "yaml"]
    assert complete(weft, "topic", "list", "--output=y") == ["--output=yaml"]
    assert complete(weft, "token", "create", "x", "--role", "a") == ["admin"]
    assert complete(weft, "topic", "show", "--cluster", A_UUID, "ex") == ["example"]
    assert complete(weft, "topic", "show", "-c", "") == ["example"]
    assert complete(weft, "cell", "node", "show", "") == ["7"]
    assert complete(weft, "completion", "") == ["bash", "zsh"]
    assert complete(weft, "backup", "create", "") == [":file"]
    assert complete(weft, "whoami", "--ca-file", "") == [":file"]
    api.route("GET", "/api/v1/clusters", problem(403, "FORBIDDEN", "no"))
    done = weft.run("__complete", "topic", "list", "--cluster", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


BASH = r"""
set -e
source <("$WEFT" completion bash)
complete -p weft >/dev/null
try() {
    COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
    _weft
    local IFS=,
    echo "${COMPREPLY[*]}"
}
try 'weft topic cr'
try 'weft topic list --output=y'
try 'weft topic list -o '
try 'weft topic show --cluster example e'
try 'weft cell node promote '
try 'weft backup verify /etc/host'
"""


def test_bash(weft, api):
    """The script works in a real bash, with and without programmable completion's library."""
    done = subprocess.run(["bash", "--norc", "-c", BASH], env=weft.env | {"WEFT": WEFT}, text=True,
                          capture_output=True, timeout=LIMIT_S, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == "create" and lines[1] == "yaml" and lines[2] == "table,json,yaml"
    assert lines[3] == "example" and lines[4] == "7" and "/etc/hosts" in lines[5].split(",")


def test_bash_by_keys(weft, api, tmp_path):
    """A person presses TAB in an interactive bash."""
    rc = tmp_path / "bashrc"
    rc.write_text(f'PS1="ready> "\nsource <({WEFT} completion bash)\n')
    pid, fd = pty.fork()
    if pid == 0:
        os.execve("/bin/bash", ["bash", "--rcfile", str(rc), "-i"], weft.env | {"TERM": "dumb"})
    shown = press(fd, "weft topic cre\torders\n", b"created")
    os.close(fd)
    os.waitpid(pid, 0)
    assert "weft topic create orders" in shown and "created" in shown


def press(fd, keys, until):
    """Type KEYS when the prompt is there; all that was shown."""
    shown, sent, deadline = b"", False, time.monotonic() + 30
    while time.monotonic() < deadline and until not in shown:
        if select.select([fd], [], [], 0.2)[0]:
            shown += os.read(fd, 65536)
        if not sent and b"ready> " in shown:
            os.write(fd, keys.encode())
            sent = True
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace")).replace("\r", "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here: scripts/install test")
def test_zsh(weft, api, tmp_path):
    """The script works in a real zsh, from a file of fpath, by keys."""
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "_weft").write_text(weft.ok("completion", "zsh"))
    (tmp_path / ".zshrc").write_text(f"PS1='ready> '\nfpath=({functions} $fpath)\n"
                                     "autoload -Uz compinit\ncompinit -u\n")
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(shutil.which("zsh"), ["zsh", "-i"],
                  weft.env | {"TERM": "dumb", "ZDOTDIR": str(tmp_path)})
    shown = press(fd, "weft topic cre\torders --cluster ex\t\n", b"created")
    os.close(fd)
    os.waitpid(pid, 0)
    assert "created" in shown, shown
    assert api.calls[-1].operation == "createTopic"


# ---- help ----

def test_help(stranger):
    """Every group and command explains itself, on standard output, with exit code 0."""
    top = stranger.ok("--help")
    assert "exit codes:" in top and stranger.ok("help") == top
    for words in ("topic", "cell", "cell node", "context"):
        assert "commands:" in stranger.ok(*words.split(), "--help")
        done = stranger.run(*words.split())
        assert done.returncode == 2 and "commands:" in done.stderr and done.stdout == ""
    text = stranger.ok("topic", "create", "--help")
    assert text == stranger.ok("help", "topic", "create")
    for part in ("usage: weft topic create NAME", "--partitions N", "examples:", "exit codes:",
                 "API: POST /api/v1/clusters/{cluster}/topics"):
        assert part in text
    assert stranger.ok("version") == stranger.ok("--version")
    assert stranger.run().returncode == 2
    assert "do you mean topic" in stranger.refused(2, "topc", "list")


def test_object_keeps_its_words(stranger):
    """`weft object` is of the same frame."""
    assert "usage: weft object ls FILE-OR-URL" in stranger.ok("object", "ls", "--help")
    assert stranger.run("object", "ls", "/no/such/file").returncode == 1
    assert stranger.run("object", "cat", "x", "--partition", "x").returncode == 2
