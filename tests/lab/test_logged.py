"""`logged` keeps what the kit's log says within the block, and nothing else."""

import logging

import pytest

from sockkit import AuthenticationError, Client, Server
from sockkit.lab import logged

log = logging.getLogger("sockkit")


def test_what_is_said_within_the_block_is_kept_and_no_more() -> None:
    log.info("before")
    with logged() as lines:
        log.warning("%d clients", 2)
        logging.getLogger("another").warning("another's")
    log.warning("after")
    assert lines == ["2 clients"]


def test_it_hears_the_threads_of_a_server() -> None:
    refused = pytest.raises(AuthenticationError)
    with logged() as lines, Server(token="open sesame") as server, refused:
        Client(server.address, token="close sesame").connect()
    assert [line.rpartition(": ")[2] for line in lines] == ["wrong token"]


def test_it_is_gone_after_an_error_too() -> None:
    before = list(log.handlers)
    with pytest.raises(ZeroDivisionError), logged():
        raise ZeroDivisionError
    assert log.handlers == before
