"""Framings that are not the kit's own: what one returns is looked at before the core relies on it.

A framing of yours may be wrong. Its sender is told, or its client ends and the log says why; the
others notice nothing. The kit's own framings are not asked, so that they cost nothing more.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, Protocol

from sockkit.errors import ProtocolError
from sockkit.framing import Decoder, Framing, LengthPrefixed, Lines, Raw, decoder_factory

log = logging.getLogger("sockkit")

_OWN = (Lines, LengthPrefixed, Raw)


class SureDecoder(Protocol):
    """A decoder as the core uses it: it can say what it holds, and fails in one way only."""

    @property
    def buffered(self) -> int:
        """Bytes held for a message that is not whole yet; 0 if it cannot tell."""

    def feed(self, data: bytes) -> list[Any]:
        """Take the next bytes; return the messages that are complete now.

        Raises:
            ProtocolError: these bytes can't be a message, or the decoder is wrong.
        """


def encoder(framing: Framing) -> Callable[[Any], bytes]:
    """How messages are written: `framing.encode`, and a look at what one of yours returns.

    What is no bytes would else be found out when it is to leave, when its sender has long gone on.
    """
    if type(framing) in _OWN:
        return framing.encode
    return functools.partial(_encoded, framing)


def _encoded(framing: Framing, message: Any) -> bytes:
    data: object = framing.encode(message)
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    name, kind = type(framing).__name__, type(data).__name__
    raise TypeError(f"{name}.encode must return bytes; this is {kind}")


def sure_decoders(framing: Framing, max_message: int) -> Callable[[], SureDecoder]:
    """How decoders are made for connections.

    Raises:
        TypeError: not a framing.
    """
    make: Callable[[], Any] = decoder_factory(framing, max_message)
    return make if type(framing) in _OWN else lambda: _CheckedDecoder(make())


class _CheckedDecoder:
    """A decoder of yours."""

    __slots__ = ("_decoder", "buffered")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.buffered = 0

    def feed(self, data: bytes) -> list[Any]:
        """The messages that are complete now.

        Raises:
            ProtocolError: its own, or it failed, or what it returned is no list, or what it says
                that it holds is no number.
        """
        try:
            messages: object = self._decoder.feed(data)
            if not isinstance(messages, list):  # the letters of a str would be messages, too
                raise TypeError(f"feed must return a list; this is {type(messages).__name__}")
            # Asked for once, here: where it is used, a wrong one would hurt more than its client.
            self.buffered = int(getattr(self._decoder, "buffered", 0))
        except ProtocolError:
            raise
        except Exception as error:
            log.exception("%s.feed failed", type(self._decoder).__name__)
            raise ProtocolError(f"its decoder failed: {error!r}") from None
        return messages
