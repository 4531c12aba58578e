import socket

import pytest

from .loopback import HOST


@pytest.fixture
def listener():
    with socket.create_server((HOST, 0)) as sock:
        sock.settimeout(5)
        yield sock


@pytest.fixture
def accept(listener):
    """Accepts the next client; closes what it accepted at the end of the test."""
    accepted = []

    def accept_one():
        sock, _ = listener.accept()
        sock.settimeout(5)
        accepted.append(sock)
        return sock

    yield accept_one
    for sock in accepted:
        sock.close()
