"""The kit on the command line: `python -m sockkit serve`, `connect` and `doctor`.

Each command is a module of `sockkit.cli`; here is only what they share: the arguments, and the exit
code, which is 0 for well, 1 for a failure that was told in a sentence, and 2 for a wrong command.
"""

import argparse
import sys
from collections.abc import Sequence

from sockkit import __version__
from sockkit.cli import connect, doctor, serve, workers
from sockkit.cli.output import complain, make_printing_safe, nobody_reads

_EPILOG = """\
Try it in two terminals: `serve` says in its first line what to type in the other one.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `arguments`: None for those of the process."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # the parser itself would show its own usage, and not that of the command
        options.usage.error(f"unrecognized arguments: {' '.join(unknown)}")
    make_printing_safe()
    try:
        if options.command == "serve":
            if options.key and not options.cert:
                options.usage.error("--key is the key of a certificate: name that with --cert")
            if options.workers:
                together = bool(options.redis or options.redis_file)
                more = _for_each_worker(options)
                return workers.run(
                    options.host, options.port, options.workers, more, together=together
                )
            return serve.run(
                options.host,
                options.port,
                cert=options.cert,
                key=options.key,
                token_file=options.token_file,
                redis=options.redis,
                redis_file=options.redis_file,
                worker=options.worker,
            )
        if options.command == "connect":
            return connect.run(
                options.host, options.port, cert=options.cert, token_file=options.token_file
            )
        if options.command == "doctor":
            return doctor.run()
    except KeyboardInterrupt:
        return 130  # as a shell counts it; a command that ends well by Ctrl-C says so itself
    except BrokenPipeError:  # such as `| head`: it has seen enough
        nobody_reads()
        return 1
    except OSError as error:
        complain(error.strerror or str(error))
        return 1
    parser.print_help(sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sockkit",
        description="Asynchronous sockets, made to be learnt.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sockkit {__version__}")
    parser.set_defaults(usage=parser)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    text = "an echo server that answers in upper case, and tells who joins, says what, and leaves"
    more = ". A line `/all TEXT` goes to everybody; for `/who` it answers with their numbers."
    command = _add(commands, "serve", text, text.capitalize() + more)
    command.add_argument(
        "--port", type=_port, default=0, metavar="N", help="0, the default, takes any free one"
    )
    command.add_argument(
        "--host", default="127.0.0.1", help="where to listen; the default is for this machine alone"
    )
    command.add_argument(
        "--cert",
        type=_given,
        metavar="FILE",
        help="a certificate (PEM): speak TLS, and nothing else",
    )
    command.add_argument(
        "--key", type=_given, metavar="FILE", help="its private key, if that is in another file"
    )
    command.add_argument(
        "--token-file",
        type=_given,
        metavar="FILE",
        help="let in only who says first what stands in this file",
    )

    command.add_argument(
        "--workers",
        type=_workers,
        default=0,
        metavar="N",
        help="so many processes at one port, to use so many processors (Linux)",
    )
    shared = command.add_mutually_exclusive_group()
    shared.add_argument(
        "--redis",
        type=_given,
        metavar="URL",
        help="act as one with all servers that name the same Redis, such as redis://127.0.0.1",
    )
    shared.add_argument(
        "--redis-file",
        type=_given,
        metavar="FILE",
        help="the same, with the URL in this file: for one with a password in it",
    )
    command.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)

    text = "a client for any server of lines: what you type is sent, what comes back is printed"
    command = _add(commands, "connect", text, text.capitalize() + ".")
    command.add_argument("host", metavar="HOST", help="such as 127.0.0.1")
    command.add_argument("port", metavar="PORT", type=_port, help="such as 5000")
    command.add_argument(
        "--cert",
        type=_given,
        metavar="FILE",
        help="speak TLS, and trust whoever has this certificate (PEM)",
    )
    command.add_argument(
        "--token-file", type=_given, metavar="FILE", help="say first what stands in this file"
    )

    text = (
        "looks at this machine: versions, limits, what works here, and what to do where it does not"
    )
    _add(commands, "doctor", text, text.capitalize() + ".")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    description: str,
) -> argparse.ArgumentParser:
    # No abbreviations: `--token sesame` would be taken for a --token-file of that name.
    command = commands.add_parser(name, help=text, description=description, allow_abbrev=False)
    command.set_defaults(usage=command)
    return command


def _for_each_worker(options: argparse.Namespace) -> list[str]:
    names = ("cert", "key", "token_file", "redis", "redis_file")
    given = ((name.replace("_", "-"), getattr(options, name)) for name in names)
    return [f"--{flag}={value}" for flag, value in given if value]


def _given(text: str) -> str:
    if text:
        return text
    # Such as `--token-file "$TOKEN"` without that variable: no server is to start without a token.
    raise argparse.ArgumentTypeError("there is nothing in it: is a variable of your shell not set?")


def _workers(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= 64:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of workers: that is from 1 to 64")


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: ports are numbers from 0 to 65535")


if __name__ == "__main__":
    sys.exit(main())
