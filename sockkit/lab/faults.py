"""What a link may do to the bytes that pass it, as one frozen record. No sockets in here."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is done to the bytes that go one way. Nothing by default; any may be combined.

    Raises:
        ValueError: a number below its least value.
    """

    split: int | None = None
    """Pass on at most this many bytes at a time; 1 is the hardest test of a framing."""

    gap: float = 0.001
    """Seconds between the pieces of a split: with none, the receiving kernel glues them again."""

    glue: float = 0.0
    """Hold what arrives for this many seconds, and pass it on as one piece."""

    delay: float = 0.0
    """Seconds that everything is late, the end too."""

    rate: float | None = None
    """Bytes a second at most."""

    stall: bool = False
    """Pass on nothing. The sender fills every buffer on the way and is then held up."""

    black_hole: bool = False
    """Throw everything away, the end too, and let the sender believe it arrived. A stream with a
    hole in it is never passed on: what lost bytes stays silent when this is switched off."""

    def __post_init__(self) -> None:
        if self.split is not None and self.split < 1:
            raise ValueError(f"split must be 1 or more, or None; got {self.split}")
        if self.rate is not None and not self.rate > 0:  # nor nan
            raise ValueError(f"rate must be more than 0, or None; got {self.rate}")
        if min(self.gap, self.glue, self.delay) < 0:
            raise ValueError("gap, glue and delay can't be negative")
