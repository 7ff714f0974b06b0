"""The images: what is in them and what is not, and that they run with no rights at all.

Built once by scripts/images with podman, in whatever base there is (containers.build_images).
"""

import hashlib
import io
import json
import re
import subprocess
import tarfile
import time

import containers
import pytest
from containers import ROOT, Container, podman, run

IMAGES = {"agent": "weft-agent", "controlplane": "weft-controlplane", "cli": "weft"}
AGENT_LIMIT_BYTES = 40_000_000
# As hard as a container can be: nothing may be written, no right, no gain of rights.
HARDENED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL",
            "--security-opt=no-new-privileges"]
STOP_LIMIT_S = 10
VERSION = re.search(r'WEFT_VERSION "(.*)"',
                    (ROOT / "common" / "version.h").read_text(encoding="ascii")).group(1)


@pytest.fixture(name="tag", scope="module")
def tag_fixture():
    """The tag of the images of this tree."""
    return containers.build_images()


@pytest.fixture(name="inspect", scope="module")
def inspect_fixture(tag):
    """What podman knows of each image, by target."""
    return {target: json.loads(podman("image", "inspect", f"weft-{target}:{tag}"))[0]
            for target in IMAGES}


@pytest.fixture(name="files", scope="module")
def files_fixture(tag):
    """The files of each image, by target: an open tar archive."""
    archives = {}
    for target in IMAGES:
        name = podman("create", f"weft-{target}:{tag}").strip()
        done = subprocess.run(["podman", "export", name], check=True,
                              env=containers.environment(), stdout=subprocess.PIPE)
        podman("rm", "-v", name)
        archives[target] = tarfile.open(fileobj=io.BytesIO(done.stdout))
    return archives


def content(archive, name):
    """The bytes of a file."""
    return archive.extractfile(name).read()


def test_sizes_and_labels(inspect):
    """The agent's image is under 40 MB; each says what it is, of which commit and when."""
    sizes = {target: image["Size"] for target, image in inspect.items()}
    print("bytes:", sizes)
    assert sizes["agent"] < AGENT_LIMIT_BYTES
    for target, image in inspect.items():
        labels = image["Labels"]
        assert labels["org.opencontainers.image.title"] == f"weft-{target}"
        assert labels["org.opencontainers.image.version"] == VERSION
        assert re.fullmatch("[0-9a-f]{40}(-changed)?|unknown",
                            labels["org.opencontainers.image.revision"])
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                            labels["org.opencontainers.image.created"])
        assert image["Created"].startswith(
            labels["org.opencontainers.image.created"].rstrip("Z"))
        assert image["Config"]["User"] == "65532:65532"


@pytest.mark.parametrize("target", IMAGES)
def test_runs_without_any_right(tag, target):
    """Read-only, without capabilities, as nobody: the program runs and tells its version."""
    out = podman("run", "--rm", *HARDENED, f"weft-{target}:{tag}",
                 "version" if target == "cli" else "--version")
    assert out.split() == [IMAGES[target], VERSION]


@pytest.mark.parametrize("target", IMAGES)
def test_holds_nothing_else(files, inspect, target):
    """One program, libraries, a few data files: no shell, no package manager, nothing that
    the program could change, nothing set-uid, and one time for all files."""
    executables, times = [], set()
    created = inspect[target]["Labels"]["org.opencontainers.image.created"]
    for member in files[target]:
        mode = member.mode & 0o7777
        # What podman itself mounts into a container is not of the image.
        if re.match(r"(dev|proc|sys|run|etc/(hosts|hostname|resolv.conf|mtab))\b", member.name):
            continue
        assert mode & 0o6000 == 0, f"{member.name} is set-uid"
        if member.isfile():
            times.add(member.mtime)
            assert member.uid == 0 and mode & 0o022 == 0, f"{member.name} can be changed"
            if mode & 0o111 and not re.search(r"\.so(\.|$)", member.name):
                executables.append(member.name)
        elif member.isdir() and member.uid != 0:
            assert member.name in ("home/weft", "etc/weft", "var/lib/weft", "home", "var/lib"), \
                member.name
    assert executables == [f"usr/bin/{IMAGES[target]}"]
    assert len(times) == 1
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(times.pop())) == created


@pytest.mark.parametrize("target", IMAGES)
def test_bill_of_materials(files, target):
    """The SBOM (SPDX 2.3) names the program by its hash and each package that a file of the
    image is from, with the version, which dpkg's own entries confirm; licences are there."""
    archive = files[target]
    program = IMAGES[target]
    sbom = json.loads(content(archive, f"usr/share/sbom/weft-{target}.spdx.json"))
    assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0"
    own, *packages = sbom["packages"]
    assert own["name"] == program and own["versionInfo"] == VERSION
    assert own["checksums"] == [{
        "algorithm": "SHA256",
        "checksumValue": hashlib.sha256(content(archive, f"usr/bin/{program}")).hexdigest()}]
    versions = {package["name"]: package["versionInfo"] for package in packages}
    assert {"libc6", "libssl3", "libcurl4", "ca-certificates"} <= set(versions)
    assert ("libraft0" in versions) == (target == "controlplane")
    ids = [package["SPDXID"] for package in sbom["packages"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in ids)
    assert {r["relatedSpdxElement"] for r in sbom["relationships"]} == set(ids)
    for name, version in versions.items():
        status = content(archive, f"var/lib/dpkg/status.d/{name}").decode()
        assert f"\nVersion: {version}\n" in status
        assert content(archive, f"usr/share/doc/{name}/copyright")
        purl = next(p for p in packages if p["name"] == name)["externalRefs"][0]
        assert purl["referenceLocator"].startswith("pkg:deb/debian/")
    # Every library is of a package that is listed.
    libraries = ["/" + member.name for member in archive
                 if member.isfile() and ".so" in member.name and "/doc/" not in member.name]
    owners = owners_of(libraries)
    assert len(libraries) > 10 and set(owners) == set(libraries)
    assert set(owners.values()) <= set(versions)


def owners_of(paths):
    """The package of each file on this machine, where libraries lie at the same paths; dpkg
    may know them without the /usr that /lib leads to."""
    asked = paths + [path.removeprefix("/usr") for path in paths]
    done = subprocess.run(["dpkg-query", "-S", *asked], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    owners = {}
    for line in done.stdout.splitlines():
        package, path = line.split(": ")
        owners[path if path in paths else "/usr" + path] = package.split(":")[0]
    return owners


def test_same_source_same_bytes(inspect):
    """All compiled and put together again: the very same images, by their digests."""
    with containers.locked("images"):
        run([ROOT / "scripts" / "images", "--quiet", "--tag", containers.TAG + "-again",
             "--round", str(time.time_ns())], limit_s=containers.BUILD_LIMIT_S)
    for target, first in inspect.items():
        again = json.loads(podman("image", "inspect", f"weft-{target}:{containers.TAG}-again"))[0]
        assert again["RootFS"]["Layers"] == first["RootFS"]["Layers"], target
        assert again["Id"] == first["Id"], target
        podman("rmi", f"weft-{target}:{containers.TAG}-again")


@pytest.mark.parametrize("program", ["weft-agent", "weft-controlplane"])
def test_makes_no_process(files, program):
    """Nothing to reap: the servers call nothing that would make a process."""
    target = program.removeprefix("weft-")
    path = containers.BUILD / f"symbols-{program}"
    path.write_bytes(content(files[target], f"usr/bin/{program}"))
    symbols = subprocess.run(["nm", "-D", "--undefined-only", path], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    path.unlink()
    assert "pthread_create" in symbols
    assert not re.search(r"\b(fork|vfork|clone|posix_spawnp?|system|popen|exec[vl]p?e?)@", symbols)


def seconds_to_stop(container, number="TERM"):
    """Ask it to end, with time enough; how long it took."""
    started = time.monotonic()
    podman("kill", "--signal", number, container.name)
    container.wait(60)
    return time.monotonic() - started


@pytest.mark.parametrize("number", ["TERM", "INT"])
def test_control_plane_as_first_process(tag, number):
    """It keeps its data in the volume and nowhere else, answers, and ends with status 0 soon
    after the signal, although it is process 1; and goes on with its data."""
    volume = containers.unique("volume")
    options = [*HARDENED, "-v", f"{volume}:/var/lib/weft", "-e", "WEFT_BOOTSTRAP=true",
               "--hostname", "cp1"]
    try:
        for _ in range(2):
            with Container(f"weft-controlplane:{tag}", options=options) as container:
                wait_for_log(container, 'msg="started"')
                assert podman("top", container.name, "pid").split() == ["PID", "1"]
                took = seconds_to_stop(container, number)
                print(f"stopped in {took:.2f} s")
                assert container.state()["ExitCode"] == 0, container.logs()
                assert took < STOP_LIMIT_S
    finally:
        podman("volume", "rm", "-f", volume)


def wait_for_log(container, text, limit_s=60):
    """Until TEXT is in its log."""
    until = time.monotonic() + limit_s
    while text not in container.logs():
        assert container.running() and time.monotonic() < until, container.logs()
        time.sleep(0.1)


@pytest.mark.parametrize("target, words, text", [
    ("agent", ["--control-plane=https://nowhere.invalid:1", "--ca-fingerprint=" + "0" * 64,
               "--enrolment-token=@/etc/weft/none", "--store=file:///tmp",
               "--wait-for-files=10m"], "waiting for a file"),
    ("agent", ["--control-plane=https://nowhere.invalid:1", "--ca-fingerprint=" + "0" * 64,
               "--enrolment-token=none", "--store=file:///tmp"], "does not answer"),
    ("cli", ["setup", "main", "--dir=/home/weft", "--ca-file=/etc/weft/none",
             "--server=https://nowhere.invalid:1", "--timeout=10m"], None),
])
def test_waiting_is_ended_by_a_signal(tag, target, words, text):
    """As process 1, too: what waits for a file or for a control plane ends at once."""
    options = [*HARDENED, "--tmpfs=/tmp:mode=1777"] # where the agent looks whether it may write
    with Container(f"weft-{target}:{tag}", *words, options=options) as container:
        if text:
            wait_for_log(container, text)
        else:
            time.sleep(3) # it says nothing: until its handlers are there
        assert seconds_to_stop(container) < STOP_LIMIT_S


@pytest.mark.parametrize("words, status, text", [
    (["--help"], 0, "--base-only"),
    (["--nonsense"], 1, "no option or image '--nonsense'"),
    (["--engine", "nothing"], 1, "--engine is podman or docker"),
    (["--tag"], 1, "--tag needs a value"),
])
def test_the_script_explains_itself(words, status, text):
    """scripts/images says what it can do, and what it cannot."""
    done = run([ROOT / "scripts" / "images", *words], check=False)
    assert done.returncode == status and text in done.stdout + done.stderr
