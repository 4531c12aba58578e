import os
import socket
import threading

import pytest


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
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


@pytest.fixture
def leaves_nothing_behind():
    threads, descriptors = threading.active_count(), open_descriptors()
    yield
    assert threading.active_count() == threads, threading.enumerate()
    assert open_descriptors() == descriptors


def open_descriptors():
    return len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else None
