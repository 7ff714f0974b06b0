"""`weft setup`, and programs that wait for files: a cluster that starts by itself, in any
order, as containers do."""

import os
import subprocess

import pytest
from cell import wait_until
from control import BUILD, ControlPlane
from ports import free_ports

LIMIT_S = 60


def weft_setup(plane, folder, *more, server=None):
    """`weft setup main` of the control plane in its directory, started."""
    words = [BUILD / "weft", "setup", "main", "--dir", folder, "--ca-file", plane.ca_file,
             "--token", f"@{plane.data}/admin-token", "--server", server or plane.people_url,
             *more]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=os.environ | {"WEFT_CONFIG": str(folder / "config.json")})


@pytest.fixture(name="plane")
def plane_fixture(tmp_path):
    """A control plane that is not started, at ports that are known before."""
    plane = ControlPlane(tmp_path / "cp")
    plane.ports = free_ports(2)
    yield plane
    if plane.process is not None:
        plane.kill()


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    """Where the files for agents go."""
    folder = tmp_path / "agents"
    folder.mkdir()
    return folder


def start_agent(plane, folder, tmp_path):
    """An agent that is told where its files will be, not what is in them."""
    kafka, admin = free_ports(2)
    (tmp_path / "store").mkdir()
    words = [BUILD / "weft-agent", f"--control-plane=https://127.0.0.1:{plane.ports[0]}",
             f"--ca-fingerprint=@{folder}/ca.fingerprint",
             f"--enrolment-token=@{folder}/enrolment-token", f"--store=file://{tmp_path}/store",
             f"--listen=127.0.0.1:{kafka}", f"--admin-listen=127.0.0.1:{admin}",
             "--wait-for-files=10m"]
    with open(tmp_path / "agent.log", "wb") as log:
        return subprocess.Popen(words, stdout=log, stderr=log)


def test_last_comes_first(plane, folder, tmp_path):
    """Agent, setup and control plane started in the wrong order come together; a second
    setup finds the cluster there."""
    agent = start_agent(plane, folder, tmp_path)
    setup = weft_setup(plane, folder, "--timeout", "5m",
                       server=f"https://127.0.0.1:{plane.ports[0]}")
    try:
        log = tmp_path / "agent.log"
        wait_until(lambda: "waiting for a file" in log.read_text(), "the agent does not wait")
        assert setup.poll() is None
        plane.start()
        _, errors = setup.communicate(timeout=LIMIT_S)
        assert setup.returncode == 0, errors
        assert "agents of the cluster main can join" in errors
        wait_until(lambda: 'msg="ready"' in log.read_text(), "the agent is not ready")
    finally:
        agent.terminate()
        assert agent.wait(LIMIT_S) == 0
        setup.kill()
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"enrolment-token": 0o600, "ca.fingerprint": 0o644, "ca.crt": 0o644}
    assert (folder / "ca.crt").read_bytes() == plane.ca_file.read_bytes()
    token = (folder / "enrolment-token").read_text()
    again = weft_setup(plane, folder)
    assert again.wait(LIMIT_S) == 0
    assert (folder / "enrolment-token").read_text() != token
    assert [c["name"] for c in plane.admin.call("GET", "/api/v1/clusters")["items"]] == ["main"]


def test_nobody_comes(plane, folder):
    """Without a control plane it says within its time which file is missing."""
    setup = weft_setup(plane, folder, "--timeout", "300ms", server="https://127.0.0.1:1")
    _, errors = setup.communicate(timeout=LIMIT_S)
    assert setup.returncode == 6
    assert f"there is no file {plane.ca_file}" in errors and "is it running?" in errors


@pytest.mark.parametrize("name, folder_name, code, text", [
    ("not a name", ".", 2, "a cluster's name is made of"),
    ("main", "missing", 3, "missing/ca.fingerprint"),
])
def test_what_cannot_be(plane, folder, name, folder_name, code, text):
    """A bad name or directory is named."""
    plane.start()
    done = subprocess.run([BUILD / "weft", "setup", name, "--dir", folder / folder_name,
                           "--ca-file", plane.ca_file, "--token", f"@{plane.data}/admin-token",
                           "--server", plane.people_url], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    assert done.returncode == code and text in done.stderr, done.stderr
