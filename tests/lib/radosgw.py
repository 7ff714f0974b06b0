"""A real S3 server for tests: Ceph's radosgw with one monitor and one OSD in memory.

It verifies signatures and honours If-None-Match.  Everything lives in one directory and
on free ports; several can run side by side.  Debian's packages are needed, see
packages(); a machine without them fails with a text that names them.

    with Radosgw(directory) as s3:
        s3.make_bucket("records")
        print(s3.url("records", "prefix"), s3.access_key, s3.secret_key)

From a shell, `python3 tests/lib/radosgw.py --dir DIR [--bucket NAME]` runs one until it is
interrupted and prints `endpoint=...`, `access_key=...` and `secret_key=...` when it is ready.
"""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

import s3_client
from ports import free_ports

START_LIMIT_S = 60
MEMORY_BYTES = 8 << 30

CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
# Nobody but us reaches it: no keys between the daemons.
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
# One copy, few placement groups, decisions at once: ready in a second.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 2
osd pool default pgp num = 2
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
mon osd min up ratio = 0
paxos propose interval = 0.01
paxos min wait = 0.01
osd objectstore = memstore
memstore device bytes = {memory}
osd class load list = *
osd class default list = *
mon data = {dir}/mon
osd data = {dir}/osd
rgw data = {dir}/rgw
run dir = {dir}/run
admin socket = {dir}/run/$name.asok
pid file = {dir}/run/$name.pid
log file = {dir}/$name.log
log to stderr = false
rgw dns name = localhost
rgw enable usage log = false
rgw dynamic resharding = false
rgw gc max objs = 4
rgw num async rados threads = 4
rgw thread pool size = 64
"""


def packages():
    """The Debian packages that a Radosgw needs; install them without recommendations."""
    return ["radosgw", "ceph-mon", "ceph-osd", "ceph-common"]


def missing_programs():
    """The programs that are not on this machine; empty when a Radosgw can run."""
    programs = ["radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool"]
    return [name for name in programs if shutil.which(name) is None]


class Radosgw:
    """One server; the constructor starts nothing, start() or `with` does.

    After start(): endpoint, "http://localhost:PORT"; access_key and secret_key of a user
    who may do everything; region, what requests are signed for.
    """

    region = "us-east-1"

    def __init__(self, directory=None, access_key="WEFTTESTKEY", secret_key="weft-test-secret",
                 listen="127.0.0.1"):
        self.listen = listen
        self._own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="weft-radosgw-"))
        self.access_key = access_key
        self.secret_key = secret_key
        self.endpoint = None
        self.port = None
        self._processes = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- life ---

    def start(self):
        """Start the three daemons; return self when the gateway answers."""
        missing = missing_programs()
        if missing:
            raise RuntimeError(f"{', '.join(missing)} not found: apt-get install "
                               f"--no-install-recommends {' '.join(packages())}")
        deadline = time.monotonic() + START_LIMIT_S
        for name in ("mon", "osd", "run", "rgw"):
            (self.directory / name).mkdir(parents=True)
        mon_v2, mon_v1, self.port = free_ports(3)
        self.endpoint = f"http://localhost:{self.port}"
        fsid = str(uuid.uuid4())
        self._conf = self.directory / "ceph.conf"
        self._conf.write_text(CONFIG.format(fsid=fsid, mon_v2=mon_v2, mon_v1=mon_v1,
                                            memory=MEMORY_BYTES, dir=self.directory))
        try:
            self._start_monitor(fsid, mon_v2, mon_v1, deadline)
            self._start_osd(deadline)
            self._run("radosgw-admin", "user", "create", "--uid=weft", "--display-name=weft",
                      f"--access-key={self.access_key}", f"--secret={self.secret_key}")
            self._spawn("radosgw", "-n", "client.rgw",
                        f"--rgw-frontends=beast endpoint={self.listen}:{self.port}")
            self._wait(lambda: self._answers(), deadline, "the gateway does not answer")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """End all processes; remove the directory if it was made here."""
        for process in reversed(self._processes):
            process.kill()  # all is in memory: there is nothing to be put in order
        for process in self._processes:
            process.wait()
        self._processes = []
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def pause(self):
        """Stop the gateway from doing anything, as a hung machine would."""
        self._processes[-1].send_signal(signal.SIGSTOP)

    def resume(self):
        self._processes[-1].send_signal(signal.SIGCONT)

    # --- use ---

    def url(self, bucket, prefix=""):
        """The store URL of BUCKET for Weft's options."""
        path = f"/{prefix}" if prefix else ""
        return f"s3://{bucket}{path}?endpoint={self.endpoint}&region={self.region}"

    def environment(self):
        """os.environ with the keys of the user."""
        return dict(os.environ, AWS_ACCESS_KEY_ID=self.access_key,
                    AWS_SECRET_ACCESS_KEY=self.secret_key)

    def pids(self):
        """The process ids of monitor, OSD and gateway, for what they cost."""
        return [process.pid for process in self._processes]

    def client(self):
        return s3_client.S3Client(self.endpoint, self.access_key, self.secret_key, self.region)

    def make_bucket(self, name):
        self.client().request("PUT", f"/{name}", expect=(200,))

    def make_user(self, access_key, secret_key):
        """Another user, who owns nothing and may use no bucket of the first one."""
        self._run("radosgw-admin", "user", "create", f"--uid={access_key}",
                  f"--display-name={access_key}", f"--access-key={access_key}",
                  f"--secret={secret_key}")

    # --- parts ---

    def _start_monitor(self, fsid, mon_v2, mon_v1, deadline):
        monmap = str(self.directory / "monmap")
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]", monmap, conf=False)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._spawn("ceph-mon", "-i", "a")
        self._wait(lambda: self._quiet("ceph", "--connect-timeout", "2", "mon", "stat"),
                   deadline, "the monitor does not answer")

    def _start_osd(self, deadline):
        osd = str(uuid.uuid4())
        self._run("ceph", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._spawn("ceph-osd", "-i", "0")
        self._wait(lambda: "1 up" in (self._quiet("ceph", "osd", "stat") or ""), deadline,
                   "the OSD does not come up")

    def _words(self, program, *arguments, conf=True):
        as_root = ["--setuser", "root", "--setgroup", "root"] \
            if program in ("ceph-mon", "ceph-osd", "radosgw") and os.geteuid() == 0 else []
        return [program] + (["-c", str(self._conf)] if conf else []) + list(arguments) + as_root

    def _run(self, program, *arguments, conf=True):
        words = self._words(program, *arguments, conf=conf)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=START_LIMIT_S)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}")

    def _quiet(self, program, *arguments):
        """Standard output, or None if the program failed."""
        done = subprocess.run(self._words(program, *arguments), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=START_LIMIT_S)
        return done.stdout or " " if done.returncode == 0 else None

    def _spawn(self, program, *arguments):
        with open(self.directory / f"{program}.out", "ab") as out:
            self._processes.append(subprocess.Popen(
                self._words(program, "-f", *arguments), stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT))

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return sock.recv(5) == b"HTTP/"
        except OSError:
            return False

    def _wait(self, ready, deadline, message):
        while not ready():
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}; "
                                       f"see {self.directory}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{message}; see {self.directory}")
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", help="for its data and logs; default: a temporary one")
    parser.add_argument("--bucket", action="append", default=[], help="make it")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Radosgw(arguments.dir) as s3:
        for bucket in arguments.bucket:
            s3.make_bucket(bucket)
        print(f"endpoint={s3.endpoint}\naccess_key={s3.access_key}\n"
              f"secret_key={s3.secret_key}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
