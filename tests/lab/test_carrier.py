"""The carriers of lessons: a Redis of one's own, a hub in memory; and a server that is missed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sockkit import Client, Server
from sockkit.lab import Carrier, carrier, crash

from ..backplane.carriers import redis_program
from ..waiting import PATIENCE, until
from .loopback import HOST

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture(params=["memory", "redis"])
def carried(request):
    if request.param == "redis":
        redis_program()
    with Carrier(redis=request.param == "redis") as carrier:
        yield carrier


def server(carried, name, **options):
    return Server(host=HOST, backplane=carried.backplane(name, **options))


def test_servers_act_as_one_until_it_is_unplugged_and_after_it_is_plugged_in_again(carried):
    with (
        server(carried, "a") as a,
        server(carried, "b") as b,
        Client(b.address, timeout=PATIENCE) as client,
    ):
        until(lambda: a.backplane.clients == ("1@b",))
        carried.unplug()
        until(lambda: a.backplane.state == b.backplane.state == "alone")
        carried.plug()
        until(lambda: a.backplane.clients == ("1@b",))
        a.broadcast("hello")
        assert client.recv() == "hello"


def test_who_crashed_is_missed_only_after_a_while(carried):
    with server(carried, "a", expiry=1.5) as a:
        b = server(carried, "b", expiry=1.5).start()
        with Client(b.address, timeout=PATIENCE) as client:
            until(lambda: a.backplane.clients == ("1@b",))
            begun = time.monotonic()
            crash(b)
            if time.monotonic() - begun < 0.5:  # else this machine is too busy to tell
                assert a.backplane.clients == ("1@b",)
            assert list(client) == []
            until(lambda: a.backplane.clients == ())
            assert time.monotonic() - begun < 3


def test_only_a_running_server_with_a_backplane_can_be_missed(carried):
    for one in (Server(), server(carried, "a")):
        with pytest.raises(ValueError, match="can be missed"):
            crash(one)


def test_it_says_which_it_is():
    assert str(Carrier(redis=False)) == "a hub in this process: no Redis is installed here"
    redis_program()
    with Carrier() as carried:
        assert repr(carried) == "<Carrier: a Redis, started for this alone>"


def test_where_there_is_no_redis_it_is_a_hub_unless_it_must_be_one(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "in this process" in str(Carrier())
    with pytest.raises(RuntimeError, match="no redis-server here"):
        Carrier(redis=True)


def test_a_redis_that_does_not_answer_is_told(monkeypatch):
    redis_program()
    monkeypatch.setattr(carrier, "PATIENCE", 0.2)
    monkeypatch.setattr(carrier._Redis, "_answers", lambda redis: False)
    carried = Carrier(redis=True)
    with pytest.raises(RuntimeError, match=r"did not answer within 0\.2 s"):
        carried.plug()
    carried.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_neither_its_redis_nor_its_folder_outlives_who_started_it():
    redis_program()
    program = """import time; from sockkit.lab import Carrier
it = Carrier(redis=True); it.plug()
print(it._carrier._folder, flush=True); time.sleep(100)"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with child:
        folder = Path(child.stdout.readline().strip())
        started = psutil.Process(child.pid).children(recursive=True)
        assert any("redis" in process.name() for process in started)
        os.kill(child.pid, signal.SIGKILL)
        until(lambda: not any(process.is_running() for process in started))
        until(lambda: not folder.exists())
