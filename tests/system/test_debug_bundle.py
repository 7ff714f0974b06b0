"""`weft debug bundle` has what helps and no secret.

Secrets are planted wherever an operator might leave one: in options, URLs, the environment,
and files given as logs; records with known bytes are produced. None of it may be in the
bundle, packed or unpacked. What could not be had is named in its manifest."""

import json
import os
import pathlib
import subprocess
import tarfile

import pytest
from cluster import Cluster
from confluent_kafka import Producer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release"))
LIMIT_S = 60

PAYLOAD = ["planted-key-91c2", "planted-value-91c2", "planted-header-91c2"]
SECRETS = {
    "option": "planted-Option+91c2/x",
    "url": "planted-url-91c2",
    "environment": "planted-env-91c2",
    "file": "planted-file-91c2",
    "aws": "AKIAPLANTED91C2XXXXX",
}
LOG_FILE = """\
2026-01-02T03:04:05.678Z level=info module=agent msg="starting" store-secret-key={file} zone=a
agent-1  | 2026-01-02T03:04:06.678Z level=warn module=store msg="put failed" url=http://u:{url}@s3:80/b?X-Amz-Signature={url}
{{"time":"2026-01-02T03:04:07.678Z","level":"info","module":"m","msg":"x","password":"{file}"}}
record key={key} value={value}
Traceback: {value}
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    directory = tmp_path_factory.mktemp("planted")
    # The file:// store ignores these; the options are dumped to the log all the same.
    with Cluster(directory, agents=1, control_planes=3,
                 agent_set={"log-level": "debug", "store-secret-key": SECRETS["option"],
                            "store-access-key": SECRETS["aws"]},
                 control_plane_set={"log-level": "debug"}) as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap})
        for _ in range(10):
            producer.produce("planted", PAYLOAD[1], PAYLOAD[0], headers={"h": PAYLOAD[2]})
        assert producer.flush(LIMIT_S) == 0
        yield cluster


def agent_url(cluster):
    """Where the agent's /metrics are."""
    log = cluster.logs("agent-1")
    return "http://" + log.split("admin-listen=", 1)[1].split()[0]


def weft(cluster, *words, token=None, cwd=None):
    env = {**os.environ, "WEFT_SERVER": cluster.control_plane, "WEFT_CA_FILE": cluster.ca_file,
           "WEFT_TOKEN": token or cluster.admin_token, "WEFT_CONFIG": "/nonexistent/config",
           "AWS_SECRET_ACCESS_KEY": SECRETS["environment"],
           "WEFT_STORE": f"s3://b?session_token={SECRETS['environment']}"}
    return subprocess.run([BUILD / "weft", *map(str, words)], capture_output=True, text=True,
                          env=env, timeout=LIMIT_S, check=False, cwd=cwd)


def unpack(path):
    """{name: content}"""
    with tarfile.open(path, "r:gz") as tar:
        return {member.name: tar.extractfile(member).read().decode()
                for member in tar.getmembers()}


def assert_clean(cluster, files, out):
    for name, text in {**files, "what was printed": out}.items():
        for secret in [*SECRETS.values(), *PAYLOAD, cluster.admin_token, "weft_enrol_",
                       "weft_join_", "PRIVATE KEY"]:
            assert secret not in text, f"{secret} is in {name}"


def test_what_is_in_it_and_what_is_not(planted, tmp_path):
    logs = tmp_path / "kept.log"
    logs.write_text(LOG_FILE.format(key=PAYLOAD[0], value=PAYLOAD[1], **SECRETS))
    out = tmp_path / "bundle.tar.gz"
    done = weft(planted, "debug", "bundle", out, "--agent", agent_url(planted), "--logs",
                f"{logs},{tmp_path}/missing.log")
    assert done.returncode == 0, done.stderr
    files = unpack(out)
    assert_clean(planted, files, done.stdout + done.stderr)

    manifest = json.loads(files["manifest.json"])
    assert {row["file"] for row in manifest["has"]} == files.keys() - {"manifest.json"}
    assert [row["what"] for row in manifest["missing"]] == [f"{tmp_path}/missing.log"]
    assert manifest["secrets_removed"] >= 5
    for node in ("1", "2", "3"):
        assert "level=info module=main" in files[f"nodes/{node}/log.txt"]
        assert "weft_controlplane_raft_term" in files[f"nodes/{node}/metrics.txt"]
        assert files[f"nodes/{node}/readyz.txt"].startswith("ready")
    assert "store-secret-key=***" in files["agents/1/log.txt"]
    assert "weft_agent_" in files["agents/1/metrics.txt"]
    cluster_id = json.loads(files["clusters.json"])["items"][0]["id"]
    topics = json.loads(files[f"clusters/{cluster_id}/topics.json"])
    assert [topic["name"] for topic in topics["items"]] == ["planted"]
    for name in ("agents", "groups", "limits", "usage", "audit"):
        json.loads(files[f"clusters/{cluster_id}/{name}.json"])
    json.loads(files["cell/cell.json"])
    kept = files["logs/1-kept.log"].splitlines()
    assert len(kept) == 3 and all(line.startswith(("2026-", "{")) for line in kept)
    assert json.loads(kept[2])["password"] == "***"
    row = next(row for row in manifest["has"] if row["file"] == "logs/1-kept.log")
    assert row["lines_left_out"] == 2


def test_less_rights_give_a_smaller_bundle(planted, tmp_path):
    """Somebody who may only look at one cluster gets that, and is told what is missing."""
    done = weft(planted, "cluster", "list", "-o", "json")
    name = json.loads(done.stdout)["items"][0]["name"]
    made = weft(planted, "token", "create", "looker", "--cluster", name, "--role", "viewer",
                "-o", "json")
    assert made.returncode == 0, made.stderr
    token = json.loads(made.stdout)["token"]
    done = weft(planted, "debug", "bundle", token=token, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / done.stdout.strip()
    assert path.name.startswith("weft-debug-") and path.stat().st_mode & 0o777 == 0o600
    files = unpack(path)
    assert_clean(planted, files, done.stderr)
    assert token not in str(files)
    assert "clusters.json" in files and "cell/cell.json" not in files
    missing = {row["what"]: row["why"] for row in json.loads(files["manifest.json"])["missing"]}
    assert "operator" in missing["/api/v1/cell"], missing


def test_a_cell_that_is_away_leaves_what_is_here(planted, tmp_path):
    """Nobody answers: the bundle has the files that were given, and says so."""
    logs = tmp_path / "kept.log"
    logs.write_text(LOG_FILE.format(key=PAYLOAD[0], value=PAYLOAD[1], **SECRETS))
    done = weft(planted, "debug", "bundle", tmp_path / "b.tar.gz", "--logs", logs, "--server",
                "https://127.0.0.1:1", "--timeout", "1s")
    assert done.returncode == 0, done.stderr
    files = unpack(tmp_path / "b.tar.gz")
    assert_clean(planted, files, done.stderr)
    assert {"manifest.json", "logs/1-kept.log", "environment.txt"} == files.keys()
    assert "not in it: /api/v1/cell" in done.stderr
