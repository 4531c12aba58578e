"""`python -m sockkit` itself: help, versions and wrong commands."""

import pytest

import sockkit
from sockkit.__main__ import main

from .program import run


def test_without_a_command_it_shows_what_there_is() -> None:
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    for command in ("serve", "connect", "doctor"):
        assert f"\n    {command} " in done.stderr


def test_help_goes_to_stdout() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout


def test_it_tells_its_version() -> None:
    assert run("--version").stdout == f"sockkit {sockkit.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["dance"], "argument COMMAND: invalid choice: 'dance'"),
        (["--dance"], "unrecognized arguments: --dance"),
        (["serve", "--port", "70000"], "'70000' is no port: ports are numbers from 0 to 65535"),
        (["serve", "--port", "-1"], "'-1' is no port"),
        (["serve", "--port", "http"], "'http' is no port"),
        (["serve", "5000"], "unrecognized arguments: 5000"),
        (["serve", "--token", "sesame"], "unrecognized arguments: --token sesame"),
        (["serve", "--key", "a.key"], "--key is the key of a certificate: name that with --cert"),
        (["serve", "--token-file", ""], "argument --token-file: there is nothing in it"),
        (["serve", "--cert="], "argument --cert: there is nothing in it"),
        (["serve", "--redis="], "argument --redis: there is nothing in it"),
        (["connect", "127.0.0.1", "5000", "--cert="], "argument --cert: there is nothing in it"),
        (["connect"], "required: HOST, PORT"),
        (["connect", "127.0.0.1"], "required: PORT"),
        (["connect", "127.0.0.1:5000"], "required: PORT"),
        (["connect", "127.0.0.1", "²"], "'²' is no port"),
        (["doctor", "please"], "unrecognized arguments: please"),
    ],
)
def test_a_wrong_command_is_told_in_one_line_after_the_usage(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    command = arguments[0] if arguments[0] in ("serve", "connect", "doctor") else "[-h] [--version]"
    assert err.startswith(f"usage: python -m sockkit {command} ")
    assert complaint in err.splitlines()[-1]
