"""Free TCP ports for servers that tests start.

Not any port that the kernel gives: between our look and the server's start another test may
connect somewhere, and its own end of that takes the port. Those ends are of a range of
their own (ip_local_port_range), below which the ports here are.
"""

import pathlib
import random
import socket

LOWEST = 10_000
RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count):
    """COUNT different TCP ports of 127.0.0.1 that nobody listens on just now."""
    end = int(RANGE.read_text().split()[0])
    # Where there is no room below, the kernel chooses.
    choices = random.sample(range(LOWEST, end), 50 * count) \
        if end >= LOWEST + 50 * count else [0] * count
    sockets = []
    try:
        for port in choices:
            if len(sockets) == count:
                break
            sock = socket.socket()
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                sock.close()
                continue
            sockets.append(sock)
        assert len(sockets) == count, f"no {count} free ports"
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()
