"""The people's API held to proto/openapi.json: every operation, with generated parameters
and bodies, good and bad, by schemathesis.

Checked of every answer: its status, media type, headers and body are described; what fits
the description is taken, what does not is refused; other methods are 405 with Allow; what
was deleted is gone; nothing is answered without a credential. The server is one process
with a cluster, a topic, a user and tokens in it, whose ids stand for path parameters, so
that the cases find something.

WEFT_CONFORMANCE_EXAMPLES: generated cases an operation and phase (default 10).
WEFT_CONFORMANCE_SEED: what they are generated from (default 1, so that two runs of one
commit try the same cases).
"""

import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from control import ControlPlane  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = os.environ.get("WEFT_CONFORMANCE_EXAMPLES", "10")
SEED = os.environ.get("WEFT_CONFORMANCE_SEED", "1")
LIMIT_S = 600

CONFIG = """
[checks.positive_data_acceptance]
# What fits the schema may still not fit what is there: unknown ids, names that are taken,
# ETags and cursors that are nobody's. 302 leads to the console, 304 says that it is known.
expected-statuses = ["2xx", 302, 304, 401, 403, 404, 409, 412, 422, 429]
[checks.negative_data_rejection]
# 412: an If-Match that is no ETag matches nothing.
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429]
[auth.openapi]
apiToken = {{ bearer = "{admin}" }}
enrolmentToken = {{ bearer = "{enrol}" }}
joinToken = {{ bearer = "{join}" }}
[parameters]
"path.cluster" = "{cluster}"
"path.topic" = "topic"
"path.group" = "group"
"path.user" = "{user}"
"path.token" = "{token}"
"path.file" = "main.js"
# Another one, since the tests of the rest need theirs.
[[operations]]
include-name = "DELETE /api/v1/clusters/{{cluster}}"
[operations.parameters]
"path.cluster" = "{doomed}"
[[operations]]
include-path = "/api/v1/clusters/{{cluster}}/enrolment-tokens/{{token}}"
[operations.parameters]
"path.token" = "{enrol_id}"
[[operations]]
include-path = "/api/v1/cell/join-tokens/{{token}}"
[operations.parameters]
"path.token" = "{join_id}"
# There is nobody to hand over to.
[[operations]]
include-path = "/api/v1/cell/transfer"
[operations.checks]
not_a_server_error.enabled = false
positive_data_acceptance.enabled = false
# No schema says what a signing request is.
[[operations]]
include-path = "/api/v1/enrol"
[operations.checks]
positive_data_acceptance.enabled = false
[[operations]]
include-path = "/api/v1/cell/join"
[operations.checks]
positive_data_acceptance.enabled = false
"""


def populate(admin):
    """Make what the cases are about; the values for CONFIG."""
    def post(path, body):
        return admin.call("POST", f"/api/v1/{path}", body)

    cluster = post("clusters", {"name": "conformance"})["id"]
    post(f"clusters/{cluster}/topics", {"name": "topic", "partitions": 2})
    post(f"clusters/{cluster}/groups/group/reset-offsets",
         {"to": "earliest", "topics": ["topic"], "dry_run": False})
    enrol = post(f"clusters/{cluster}/enrolment-tokens", {})
    join = post("cell/join-tokens", {})
    return {"admin": admin.token, "cluster": cluster, "enrol": enrol["token"],
            "enrol_id": enrol["id"], "join": join["token"], "join_id": join["id"],
            "doomed": post("clusters", {"name": "doomed"})["id"],
            "user": post("users", {"name": "user", "role": "operator"})["id"],
            "token": post("tokens", {"name": "token", "role": "operator"})["id"]}


def document_of(plane):
    """What the server says of itself, without what is not for schemathesis: the download
    of a backup, whose answer is no text."""
    document = plane.admin.json("GET", "/api/v1/openapi.json")
    del document["paths"]["/api/v1/backups/download"]
    return document


def test_conforms(tmp_path):
    """What the server does is what its description says."""
    with ControlPlane(tmp_path / "plane", max_token_requests=0) as plane:
        document = document_of(plane)
        (tmp_path / "openapi.json").write_text(json.dumps(document))
        (tmp_path / "schemathesis.toml").write_text(
            CONFIG.format(**populate(plane.admin)))
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json",
             "--url", plane.people_url, "--tls-verify", str(plane.ca_file),
             "--max-examples", EXAMPLES, "--seed", SEED,
             "--phases", "examples,coverage,fuzzing",
             "--continue-on-failure", "--workers", "2", "--output-truncate", "false"],
            cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S)
        assert plane.process.poll() is None, "the server died"
    (tmp_path / "report").write_text(done.stdout + done.stderr)
    summary = done.stdout[done.stdout.find("= SUMMARY ="):]
    failures = done.stdout[done.stdout.find("= FAILURES ="):]
    assert done.returncode == 0, f"see {tmp_path / 'report'}\n{failures}"
    tested = re.search(r"Tested: (\d+)", summary)
    assert int(tested.group(1)) == sum(
        method != "parameters" for item in document["paths"].values() for method in item)
