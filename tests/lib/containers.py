"""Containers by podman, for tests, on machines without systemd and with few rights.

    tag = containers.build_images()             # weft-agent:TAG, weft-controlplane:TAG, weft-cli:TAG
    with containers.Container("weft-agent:" + tag, "--version") as container:
        assert container.wait(10) == 0

podman is told by a containers.conf of ours (CONTAINERS_CONF, which children inherit), never
by a file in /etc. Images have a tag of this tree's own, so that trees on one machine do not
take each other's; they are made once, whoever asks first, and the others wait.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import resource
import secrets
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TAG = "test-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
BUILD_LIMIT_S = 1800
COMMAND_LIMIT_S = 180


def _limit(kind, most):
    hard = resource.getrlimit(kind)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def _configuration():
    files = _limit(resource.RLIMIT_NOFILE, 20000)
    processes = _limit(resource.RLIMIT_NPROC, 4096)
    return f"""\
[containers]
# No more than we have ourselves: raising them wants a right that we may lack.
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
# Nobody manages control groups here, and there is no journal.
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@contextlib.contextmanager
def locked(name):
    """One process at a time."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f"{name}.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def environment(**more):
    """The environment for podman and what calls it."""
    path = BUILD / "containers.conf"
    with locked("containers.conf"):
        if not path.exists() or path.read_text(encoding="ascii") != _configuration():
            path.write_text(_configuration(), encoding="ascii")
    return os.environ | {"CONTAINERS_CONF": str(path)} | more


def run(words, limit_s=COMMAND_LIMIT_S, check=True, **options):
    """A command with podman's environment; its outcome."""
    env = environment(**options.pop("env", {}))
    done = subprocess.run([str(word) for word in words], env=env, check=False, timeout=limit_s,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert not check or done.returncode == 0, \
        f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def podman(*words, **options):
    """What podman prints."""
    return run(["podman", *words], **options).stdout


def build_images(*options):
    """Build all images under TAG, unless the sources are the same as before; the tag. Or the
    tag of images that are there already, which the environment's WEFT_IMAGES names."""
    if "WEFT_IMAGES" in os.environ:
        return os.environ["WEFT_IMAGES"]
    with locked("images"):
        run([ROOT / "scripts" / "images", "--quiet", "--tag", TAG, *options],
            limit_s=BUILD_LIMIT_S)
    return TAG


def base_image():
    """The name of a plain Debian with apt."""
    with locked("images"):
        return run([ROOT / "scripts" / "images", "--base-only"],
                   limit_s=BUILD_LIMIT_S).stdout.split()[-1]


def image_exists(name):
    return run(["podman", "image", "exists", name], check=False).returncode == 0


def import_programs(name, programs, entrypoint, files=(), command=()):
    """An image NAME of PROGRAMS of this machine, with the libraries that they load and the
    FILES or directories named, at their own paths."""
    paths = set(map(str, files))
    for program in programs:
        paths.add(str(program))
        listed = subprocess.run(["ldd", program], check=False, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout
        paths |= {word for line in listed.splitlines() for word in line.split()
                  if word.startswith("/")}
    changes = [f"--change=ENTRYPOINT {json.dumps(list(map(str, entrypoint)))}"]
    if command:
        changes.append(f"--change=CMD {json.dumps(list(map(str, command)))}")
    with subprocess.Popen(["tar", "-c", "-h", "-P", "--transform", "s,^/,,", *sorted(paths)],
                          stdout=subprocess.PIPE) as tar:
        run(["podman", "import", *changes, "-", name], stdin=tar.stdout)
    assert tar.returncode == 0


def unique(name):
    """A name for a container, a network or a project that nobody else has."""
    return f"weft-{name}-{secrets.token_hex(4)}"


class Container:
    """One container; removed at the end with its anonymous volumes."""

    def __init__(self, image, *words, options=(), name=None):
        self.name = name or unique("test")
        self.words = ["run", "-d", "--name", self.name, *options, image, *words]

    def __enter__(self):
        podman(*self.words)
        return self

    def __exit__(self, *_):
        run(["podman", "rm", "-f", "-v", "-t", "0", self.name], check=False)

    def logs(self):
        done = run(["podman", "logs", self.name], check=False)
        return done.stdout + done.stderr

    def state(self):
        return json.loads(podman("inspect", self.name))[0]["State"]

    def running(self):
        return self.state()["Running"]

    def wait(self, limit_s):
        """Its exit status, once it has ended."""
        return int(podman("wait", self.name, limit_s=limit_s))
