"""A server in a process of its own, without panels or clients: what grows there is the server's.

The child tells of each client that is gone in a line of JSON, and answers the words `gauges`,
`pause` and `resume`. It ends with its standard input.
"""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from sockkit import Reason

from ..waiting import PATIENCE
from .accounts import Judge, Seen
from .gauges import Gauges, look
from .host import Host

ROOT = Path(__file__).parents[2]


class Child:
    """The driver's side of it; use it as a context manager.

    Attributes:
        address: where its server listens.
    """

    def __init__(self, judge: Judge, most: int) -> None:
        self._judge = judge
        self._answers = queue.SimpleQueue[Any]()
        command = [sys.executable, "-m", __name__, str(most), str(judge.idle)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=pipe, stdout=pipe, encoding="utf-8"
        )
        self._reading = threading.Thread(target=self._read, name="soak child")
        self._reading.start()
        host, port = self._answer()
        self.address: tuple[str, int] = (host, port)

    def gauges(self, clean: bool = False) -> Gauges:
        """What that process holds now."""
        return Gauges(*self._ask("clean" if clean else "gauges"))

    def pause(self) -> None:
        """No more broadcasts until `resume`."""
        self._ask("pause")

    def resume(self) -> None:
        """Go on."""
        self._ask("resume")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exc_info: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        code = self._process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        self._process.stdout.close()
        if code:
            self._judge.wrong("unexpected", f"the child ended with {code}")

    def _ask(self, word: str) -> Any:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        try:
            return self._answers.get(timeout=2 * PATIENCE)
        except queue.Empty:
            raise RuntimeError("the child does not answer") from None

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            kind, told = json.loads(line)
            if kind == "seen":
                name, reason, messages, sent = told
                self._judge.seen(Seen(name, Reason(reason), messages, sent))
            elif kind == "wrong":
                self._judge.wrong(*told)
            else:
                self._answers.put(told)


def main(most: int, idle: float) -> None:
    """Be the child."""
    lock = threading.Lock()

    def tell(kind: str, *told: Any) -> None:
        with lock:
            print(json.dumps([kind, told]), flush=True)

    def seen(seen: Seen) -> None:
        tell("seen", *seen)

    def wrong(fault: str, what: str) -> None:
        tell("wrong", fault, what)

    with Host(seen, wrong, most=most, idle=idle, coroutine=True) as host:
        tell("answer", *host.server.address)
        for line in sys.stdin:
            word = line.strip()
            if word == "pause":
                host.pause()
            elif word == "resume":
                host.resume()
            clients = len(host.server.clients)
            tell("answer", *look(clients, clean=word == "clean"))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
