import asyncio
import weakref

import pytest

from sockkit.lab import expect


class Held:
    """Something to see let go."""


def fail_holding(held: Held) -> None:
    raise ValueError("with\x1b[31m red text")


def test_prints_the_lines_of_the_block_and_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    with expect(ZeroDivisionError):
        1 / 0  # noqa: B018
    first, step, error = capsys.readouterr().out.splitlines()
    assert first == "Traceback (most recent call last):"
    assert step.endswith(": 1 / 0  # noqa: B018")
    assert error == "ZeroDivisionError: division by zero"


def test_an_error_with_notes_is_named_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("the error itself")
    error.add_note("a note on it")
    with expect(ValueError):
        raise error
    assert capsys.readouterr().out.splitlines()[-1] == "ValueError: the error itself"


def test_leaves_out_the_lines_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    with expect(TypeError):
        weakref.WeakSet().add(1)
    assert "weakref.py" not in capsys.readouterr().out


def test_names_the_function_of_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    with expect(ValueError):
        fail_holding(Held())
    assert ", in fail_holding: raise ValueError(" in capsys.readouterr().out


def test_accepts_any_of_the_kinds() -> None:
    with expect(KeyError, ValueError):
        raise ValueError


def test_what_it_prints_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    with expect(ValueError):
        fail_holding(Held())
    assert "\x1b" not in capsys.readouterr().out


def test_no_error_is_an_error() -> None:
    complaint = "expected OSError or ValueError, but nothing was raised"
    with pytest.raises(AssertionError, match=complaint), expect(OSError, ValueError):
        pass


def test_another_error_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), expect(ValueError):
        raise KeyError
    assert capsys.readouterr().out == ""


def test_keeps_nothing_alive() -> None:
    with expect(ValueError):
        held = Held()
        reference = weakref.ref(held)
        fail_holding(held)
    del held
    assert reference() is None


async def never() -> None:
    """A coroutine function, to be called and forgotten."""


async def call_run() -> None:
    with expect(RuntimeError):
        asyncio.run(never())


def test_tells_of_a_coroutine_that_was_never_awaited(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(call_run())
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "RuntimeError: asyncio.run() cannot be called from a running event loop",
        "RuntimeWarning: coroutine 'never' was never awaited",
    ]
