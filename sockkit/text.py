"""Text that came from the network, made safe to show.

A name or a message from a peer may hold anything: terminal escape codes, characters that turn the
reading direction, a megabyte of one letter. Whatever shows such text, on a terminal or a page,
passes it through `plain` first; pages escape HTML after that.
"""

import unicodedata
from typing import Any

# Cc: control, Cf: format (all bidirectional marks and overrides, zero-width characters, soft
# hyphens), Cs: lone surrogates, Co: private use, Zl and Zp: line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(value: Any, limit: int = 200) -> str:
    r"""One line of harmless text: unsafe characters become ``·``, and at most `limit` are kept.

    Bytes are shown as Python writes them, without the ``b`` and the quotes. Any thread.

    Example:
        >>> plain("red\x1b[31m")
        'red·[31m'
    """
    if isinstance(value, bytes | bytearray | memoryview):
        value = repr(bytes(value[: limit + 1]))[2:-1]
    text = str(value)
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join("·" if unicodedata.category(c) in _UNSAFE else c for c in shown)
    return shown + "…" if len(text) > limit else shown
