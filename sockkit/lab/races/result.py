"""What came out: the losing schedule, or that none was found, and what that is worth."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sockkit.lab.races import picture
from sockkit.text import plain

_LONGEST = 60
_MOST_STEPS = 40

_ACTIONS = {
    "runs": "",
    "wants": "waits for {target}",
    "puts": "puts {value} in {target}",
    "gets": "gets {value} from {target}",
    "sends": "sends {value} through {target}",
}


class Step(NamedTuple):
    """One thing that one thread did."""

    number: int
    thread: str
    """A letter: "A" is the first function given."""
    line: str
    """The source line."""
    does: str
    """reads, writes, changes, sends; wants, takes, frees; puts, gets; runs."""
    target: str
    """What it does that to, as a name: "value", "clients", "lock"."""
    value: str
    """What was read or written, where that can be told."""
    stale: int
    """The step in which this thread read what it now acts on, if it has changed since; else 0."""
    clash: int
    """The step of another thread that this one runs into; else 0."""

    @property
    def action(self) -> str:
        """What it does, in words: "reads value: 0"."""
        words = _ACTIONS.get(self.does, f"{self.does} {{target}}: {{value}}")
        return words.format(target=self.target, value=self.value).removesuffix(": ")

    @property
    def note(self) -> str:
        """What is wrong with it, in words; "" if nothing is."""
        if self.stale:
            return f"acts on what it read in step {self.stale}"
        if self.clash and self.does == "wants":
            return f"taken in step {self.clash}"
        return ""


@dataclass(frozen=True)
class Result:
    """The answer of `explore`. A notebook shows it as a picture, a terminal as text."""

    outcome: str
    """"holds", or how the schedule loses: "broken" (the invariant), "deadlock", "raised"."""
    threads: tuple[str, ...]
    """The functions, in order: the first is thread A."""
    steps: tuple[Step, ...]
    """The losing schedule; if none was found, the last one explored."""
    invariant: str
    """Its source, if it is a lambda; else its name."""
    final: str
    """What the schedule ended with: "value is 1"."""
    explored: int
    """How many schedules were run, the losing one included."""
    complete: bool
    """Whether these were all that could make a difference."""
    sampled: int
    """How many random schedules were run after them."""
    by_sampling: bool = False
    """Whether the losing schedule is one of the random ones: its steps are lines, without values."""
    recorded: str = ""
    """Where and with what it was recorded; "" if it has just happened here."""

    @property
    def holds(self) -> bool:
        """Whether no losing schedule was found."""
        return self.outcome == "holds"

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        if self.holds:
            seen = f" ({self.final})" if self.final else ""
            return f"Holds in {self._schedules}: {self.invariant}{seen}"
        if self.outcome == "broken":
            return f"Lost: {self.invariant} is not true" + (f", {self.final}" if self.final else "")
        return f"{'Deadlock' if self.outcome == 'deadlock' else 'Raised'}: {self.final}"

    @property
    def explored_means(self) -> str:
        """What was explored, and with that what "holds" is worth."""
        text = (
            f"Explored: {self._schedules}. They differ in the order in which these threads get at "
            "what they share: attributes, items, variables, locks, sends; a switch may come before "
            "each."
        )
        if self.sampled:
            text += f" Then {self.sampled} random ones, with a switch possible before any bytecode."
        return text

    @property
    def _schedules(self) -> str:
        if not self.holds:
            return f"{self.explored} schedule{'' if self.explored == 1 else 's'}, up to this one"
        if not self.complete:
            return f"the first {self.explored} schedules, and more were left"
        if self.explored == 1:
            return "the one schedule that there is to try"
        return f"all {self.explored} schedules that there are to try"

    @property
    def not_covered(self) -> str:
        """What may still go wrong."""
        return (
            "Not covered: another setup, other values or more threads; switches inside a call into "
            "C or into the standard library; how long things take; threads and processes that your "
            "functions start; builds without the GIL, where two threads really run at once."
        )

    def to_text(self) -> str:
        """The schedule step by step, if it loses, and what was explored."""
        lines = [self.verdict + "."]
        if not self.holds:
            lines += ["", *self._threads_in_text(), "", *self._steps_in_text(), ""]
        lines += [self.explored_means]
        if self.holds:
            lines += [self.not_covered]
        if self.recorded:
            lines += [f"Recorded, not run here: {self.recorded}."]
        return "\n".join(lines)

    def to_svg(self) -> str:
        """The schedule as a picture: a lane for each thread, time goes down."""
        return picture.draw(self)

    def records(self) -> list[dict[str, Any]]:
        """The steps as plain records: step, thread, line, action, note."""
        return [
            {
                "step": step.number,
                "thread": step.thread,
                "line": step.line,
                "action": step.action,
                "note": step.note,
            }
            for step in self.steps
        ]

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain data; `from_json` reads it again."""
        return asdict(self) | {"steps": [step._asdict() for step in self.steps]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Result":
        """The result that `to_json` has written."""
        steps = tuple(Step(**step) for step in data["steps"])
        return cls(**data | {"steps": steps, "threads": tuple(data["threads"])})

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return picture.page(self)

    def _threads_in_text(self) -> list[str]:
        return [f"{letter}: {name}" for letter, name in zip("ABCDEF", self.threads, strict=False)]

    def _steps_in_text(self) -> list[str]:
        steps = self.steps[-_MOST_STEPS:]
        left_out = len(self.steps) - len(steps)
        rows = [f"     ({left_out} earlier steps are left out)"] if left_out else []
        width = max((len(plain(step.line, _LONGEST)) for step in steps), default=0)
        for step in steps:
            line = plain(step.line, _LONGEST).ljust(width)
            note = f"  <- {step.note}" if step.note else ""
            rows.append(f"{step.number:4}  {step.thread}  {line}  {plain(step.action)}{note}".rstrip())
        return rows
