"""`python -m sockkit connect`: what is typed is sent, what comes back is printed as it comes.

Two things are waited for at once, the input and the server, and Windows can't wait for both in one
call. So a thread reads the input, and the main thread receives: a `Client` may be used from both.
Replies go to stdout and remarks to stderr, so that a pipe gets only replies.
"""

import sys
import threading
from typing import BinaryIO

from sockkit.admission import REFUSED
from sockkit.cli.files import client_tls, read_line
from sockkit.cli.output import complain, new_line_after_control_c, remark
from sockkit.errors import AuthenticationError, BufferFull, ClosedError, ConnectionLost
from sockkit.events import Reason
from sockkit.sync import Client
from sockkit.text import plain

PATIENCE = 5.0  # seconds without a reply, after the end of the input, until we leave

_REFUSED = REFUSED.decode().strip()  # as a line that was received

_ENDS = {
    Reason.CLOSED: "the server closed it",
    Reason.RESET: "the server's side broke it off",
    Reason.TIMED_OUT: "nothing came through any more",
    Reason.PROTOCOL_ERROR: "the server sent what is no line of text",
}


def run(host: str, port: int, *, cert: str | None = None, token_file: str | None = None) -> int:
    """Talk to a server until one side has said all; return the exit code.

    Args:
        host: where the server is.
        port: its.
        cert: the file of a certificate to trust; with one, TLS is spoken.
        token_file: the file in which the token stands.

    Raises:
        OSError: nobody answers there, or it is not who it should be.
    """
    try:
        context = client_tls(cert) if cert else None
        token = read_line(token_file, "a token") if token_file else None
        client = Client((host, port), ssl=context, token=token)
    except ValueError as error:
        complain(str(error))
        return 1
    try:
        with client:
            return _Talk(client, in_the_clear=context is None, has_token=token is not None).run()
    except AuthenticationError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        new_line_after_control_c()
        remark("You left.")
        return 0


class _Talk:
    """One connection, from the first line to the reason of its end."""

    def __init__(self, client: Client, in_the_clear: bool, has_token: bool) -> None:
        self._client = client
        self._in_the_clear = in_the_clear
        self._has_token = has_token
        self._said = False  # anything at all
        self._heard: str | None = None  # the newest reply
        self._input_ended = threading.Event()

    def run(self) -> int:
        """Send and print until it ends; return the exit code."""
        host, port = self._client.address
        how = "Type a line and press Enter; Ctrl-D ends." if _typed() else ""
        remark(f"Connected to {host}:{port}. {how}".rstrip())
        # A daemon: nobody can end a thread that waits for a keyboard, and none should have to.
        threading.Thread(target=self._send_input, name="input", daemon=True).start()
        while True:
            all_was_sent = self._input_ended.is_set()
            try:
                reply = self._client.recv(PATIENCE)
            except TimeoutError:
                if all_was_sent:
                    remark(f"No reply for {PATIENCE:g} s, and no more input: you left.")
                    return 0
            except ConnectionLost as error:
                return self._ended(error.reason)
            else:
                self._heard = reply
                print(plain(reply.removesuffix("\r"), self._client.limits.max_message))

    def _ended(self, reason: Reason) -> int:
        why = _ENDS.get(reason, "")
        if reason is Reason.CLOSED and self._input_ended.is_set():
            why = "you had said all, and so had the server"
        if reason is Reason.CLOSED and self._in_the_clear and self._said and self._heard is None:
            why += "; if it speaks TLS, --cert names its certificate"
        if reason is Reason.CLOSED and self._heard == _REFUSED and not self._has_token:
            why += "; if it asks for a token, --token-file names its file"
        remark(f"The connection has ended: {reason} ({why}).")
        return 0 if reason is Reason.CLOSED else 1

    def _send_input(self) -> None:
        # sys.stdin itself is locked while a thread waits in it, and the interpreter needs that
        # lock to exit. A reader of our own is nobody else's.
        try:
            if sys.stdin is not None:
                with open(sys.stdin.fileno(), "rb", closefd=False) as lines:
                    self._send_lines(lines)
            self._input_ended.set()
            self._client.send_eof()
        except (ConnectionLost, ClosedError):
            pass  # the main thread hears of the end as well, and says why
        except NotImplementedError:
            pass  # over TLS one can't say so alone: we leave when no more replies come
        finally:
            self._input_ended.set()

    def _send_lines(self, lines: BinaryIO) -> None:
        longest = self._client.limits.max_message
        while line := lines.readline(longest + 2):
            line = line.removesuffix(b"\n").removesuffix(b"\r")
            if len(line) > longest:
                remark(f"A line of more than {longest:,} bytes: the input ends before it.")
                return
            try:
                self._send(line.decode())
            except UnicodeDecodeError as error:
                remark(f"Not sent, since it is not UTF-8 text: {plain(line, 60)} ({error.reason})")

    def _send(self, text: str) -> None:
        while True:
            try:
                self._said = True
                return self._client.send(text)
            except BufferFull:
                self._client.drain()


def _typed() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
