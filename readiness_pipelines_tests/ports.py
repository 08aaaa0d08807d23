"""Free ports for servers that must be told theirs before they start."""

import itertools
import os
import socket

_FIRST, _LAST = 10_000, 32_000
"""Below those that Linux gives to clients: a server that is down for a moment finds its port free when it comes again,
and no client that tries to reach it meanwhile is given that port itself."""

_next = itertools.count(os.getpid() * 97)
"""Each process looks from another place on, and at each port once."""


def free_port() -> int:
    """A port of the loopback address that nobody listens to, which no other test of this process was given."""
    for number in itertools.islice(_next, _LAST - _FIRST):
        port = _FIRST + number % (_LAST - _FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody has it
            return port
    raise OSError(f"no port from {_FIRST} to {_LAST} is free")
