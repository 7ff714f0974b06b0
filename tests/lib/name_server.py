"""A name server that does not answer, and the processes that are given no other.

    with NameServer(directory) as names:
        process = subprocess.Popen(names.words("weft-agent", ...))
        names.asked("cp.test")             # waits until that was asked for
        names.unknown = True               # from now on it answers: there is no such name

Processes run in a mount namespace of their own, with an /etc/resolv.conf and an /etc/hosts
of ours; hosts() changes the latter. The C library waits ten seconds for the server.
"""

import pathlib
import random
import socket
import threading
import time

LIMIT_S = 30


def _question(packet):
    """The name that PACKET asks for."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    return ".".join(labels)


class NameServer:
    """Listens at an address of its own of this machine; its files are in DIRECTORY."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.unknown = False
        self._names = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        while True:
            address = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.53"
            try:
                self._socket.bind((address, 53))
                break
            except OSError:
                pass
        self._socket.settimeout(0.1)
        (self.directory / "resolv.conf").write_text(f"nameserver {address}\n")
        self.hosts()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket, closed = None, self._socket
        self._thread.join()
        closed.close()

    def _serve(self):
        while (server := self._socket) is not None:
            try:
                packet, client = server.recvfrom(4096)
            except TimeoutError:
                continue
            self._names.append(_question(packet))
            if self.unknown:  # NXDOMAIN, with the question as it came
                server.sendto(packet[:2] + b"\x81\x83" + packet[4:6] + bytes(6) +
                              packet[12:packet.index(0, 12) + 5], client)

    def hosts(self, *names):
        """NAMES are this machine's, and no others but localhost."""
        (self.directory / "hosts").write_text(
            "".join(f"127.0.0.1 {name}\n" for name in ("localhost", *names)))

    def words(self, *command):
        """COMMAND, as its process is to be started."""
        mounts = " && ".join(f"mount --bind {self.directory}/{name} /etc/{name}"
                             for name in ("resolv.conf", "hosts"))
        return ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh",
                *map(str, command)]

    def asked(self, name):
        """Wait until somebody asks for NAME, since the last time that this was called."""
        until = time.monotonic() + LIMIT_S
        while name not in self._names:
            assert time.monotonic() < until, f"nobody asks for {name}: {self._names}"
            time.sleep(0.02)
        self._names.clear()
