import os
import sys
import textwrap
import time

import psutil
import pytest

from sockkit.lab import run_limited

from ..waiting import until

pytestmark = pytest.mark.usefixtures("nothing_left")

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")


def test_a_snippet_runs_and_is_heard():
    result = run_limited("import sys\nprint('out é'); print('err', file=sys.stderr); sys.exit(3)")
    assert (result.stdout, result.stderr, result.returncode) == ("out é\n", "err\n", 3)
    assert result.to_text() == "out é\nerr\n(exit code 3)"
    assert not result.timed_out


def fill_up():
    import socket

    sockets = []
    while True:
        sockets.append(socket.socket())


@posix
def test_a_function_runs_out_of_descriptors_there_and_not_here():
    result = run_limited(fill_up, descriptors=32)
    assert result.returncode == 1
    assert result.error == "OSError: [Errno 24] Too many open files"
    assert "sockets.append(socket.socket())" in result.stderr
    os.close(os.dup(0))


@posix
def test_only_the_soft_limit_is_lowered_so_that_a_snippet_may_raise_it_again():
    snippet = """
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        print(soft, hard > soft)
    """
    assert run_limited(snippet, descriptors=20).stdout == "20 True\n"


@linux
def test_a_snippet_runs_out_of_memory():
    result = run_limited("data = bytearray(1 << 30)", memory=300 << 20)
    assert result.error == "MemoryError"


def test_a_snippet_that_never_ends_is_ended():
    start = time.monotonic()
    result = run_limited("print('here', flush=True)\nwhile True: pass", timeout=2)
    assert result.timed_out
    assert result.stdout == "here\n"
    assert "its time was over" in result.to_text()
    assert time.monotonic() - start < 10


@posix
def test_what_a_snippet_started_ends_with_it():
    snippet = """
        import subprocess, sys
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(sleeper.pid)
    """
    pid = int(run_limited(snippet).stdout)
    until(lambda: _ended(pid))


def _ended(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_snippet_that_prints_without_measure_is_cut_short():
    result = run_limited("print('x' * 10_000_000)", max_output=1000)
    assert result.stdout.startswith("x" * 1000 + "… and 99990")


def test_the_traceback_is_of_the_snippet_alone():
    result = run_limited("def f():\n    1 / 0\nf()")
    assert result.stderr.startswith(
        'Traceback (most recent call last):\n  File "snippet.py", line 3, in <module>\n    f()\n'
    )
    assert result.error.startswith("ZeroDivisionError")


def test_a_snippet_that_is_no_python_says_so():
    assert run_limited("def").error.startswith("SyntaxError")


def test_a_snippet_can_use_the_kit_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_limited("import sockkit; print(sockkit.__version__)").returncode == 0


def test_platforms_without_a_limit_say_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotImplementedError, match="Windows"):
        run_limited("", descriptors=10)
    with pytest.raises(NotImplementedError, match="only Linux"):
        run_limited("", memory=10)


def test_an_interrupt_ends_the_child_too(tmp_path):
    # A process of its own is interrupted while it waits for a snippet.
    program = textwrap.dedent("""
        import _thread, threading
        from sockkit.lab import run_limited
        threading.Timer(0.5, _thread.interrupt_main).start()
        try:
            run_limited("import time; time.sleep(600)", timeout=100)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert run_limited(program, timeout=20).stdout == "interrupted\n"
