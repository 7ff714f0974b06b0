"""A TCP proxy that does not look into what it passes on, and loses it when told to.

    with TcpProxy("127.0.0.1:7801") as proxy:
        cluster = Cluster(..., control_plane_set={"advertise-agents": proxy.url})
        proxy.lose = lambda connection: connection.owner == pid

TLS goes through as it is.  `lose` is asked for each piece that the server sends, `lose_up`
for each that the client sends: when it says CUT, the piece is dropped and the connection
closed (of an answer: the request has gone through by then); when it says SWALLOW, the
piece is dropped and the connection stays.
"""

import os
import re
import socket
import threading

PASS, CUT, SWALLOW = "pass", "cut", "swallow"


def owner_of(port, pids):
    """Which of the processes PIDS has the socket of local TCP port PORT; or None."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        inodes = {line.split()[9] for line in f.readlines()[1:]
                  if int(line.split()[1].rpartition(":")[2], 16) == port}
    for pid in pids:
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
                if found and found.group(1) in inodes:
                    return pid
        except OSError:
            continue    # the process, or that descriptor, has gone meanwhile
    return None


class Connection:
    """One connection through the proxy; `port` is the client's."""

    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.client = client
        self.server = server
        self.port = client.getpeername()[1]
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, lose in ((client, server, "lose_up"),
                                     (server, client, "lose")):
            threading.Thread(target=self._pump, args=(source, target, lose),
                             daemon=True).start()

    def close(self):
        self.proxy.connections.discard(self)
        for sock in (self.client, self.server):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _pump(self, source, target, lose):
        try:
            while data := source.recv(65536):
                fate = getattr(self.proxy, lose)(self)
                if fate == CUT:
                    self.proxy.cuts += 1
                    break
                if fate == PASS:
                    target.sendall(data)
        except OSError:
            pass
        self.close()


class TcpProxy:
    def __init__(self, upstream, lose=lambda connection: PASS,
                 lose_up=lambda connection: PASS):
        host, _, port = upstream.rpartition(":")
        self.upstream = (host, int(port))
        self.lose = lose
        self.lose_up = lose_up
        self.cuts = 0
        self.connections = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def url(self):
        return "https://" + self.address

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(self.upstream, 10)
                server.settimeout(None)
                self.connections.add(Connection(self, client, server))
            except OSError:
                client.close()

    def close(self):
        # shutdown() wakes the thread that waits in accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.connections):
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
