"""What came out: the losing schedule, or that none was found, and what that is worth."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sockkit.lab.races import picture
from sockkit.text import plain

_LONGEST = 60
_LONGEST_VERDICT = 300
_MOST_STEPS = 24

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
    """How many random schedules were run after them, since none of them lost. If the losing one is
    a random one, its steps are lines without values."""
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
            verdict = f"Holds in {self._schedules}: {self.invariant}{seen}"
        elif self.outcome == "broken":
            seen = f", {self.final}" if self.final else ""
            verdict = f"Lost: {self.invariant} is not true{seen}"
        else:
            verdict = f"{self.outcome.capitalize()}: {self.final}"
        return plain(verdict, _LONGEST_VERDICT)

    @property
    def explored_means(self) -> str:
        """What was explored, and with that what "holds" is worth."""
        text = (
            f"Explored: {self._schedules}, with a switch possible before each access to something "
            "that the threads share: attributes, items, variables, locks, queues, sends."
        )
        if self.sampled:
            text += f" Then {self.sampled} random ones, with a switch possible before any bytecode"
            text += "." if self.holds else ", up to this one."
        return text

    @property
    def _schedules(self) -> str:
        plural = "" if self.explored == 1 else "s"
        if not self.holds and not self.sampled:
            return f"{self.explored} schedule{plural}, up to this one"
        if not self.complete:
            return f"the first {self.explored} schedule{plural}, and more were left"
        if self.explored == 1:
            return "the only schedule that there is to try"
        which = "both" if self.explored == 2 else f"all {self.explored}"
        return f"{which} schedules that there are to try"

    @property
    def not_covered(self) -> str:
        """What may still go wrong."""
        return (
            "Not covered: another setup, other values or more threads; switches inside a call into "
            "C or into the standard library; how long things take; threads and processes that your "
            "functions start; builds without the GIL, where two threads really run at once."
        )

    @property
    def remarks(self) -> list[str]:
        """What belongs under the verdict: explored, not covered, recorded."""
        remarks = [self.explored_means]
        if self.holds:
            remarks.append(self.not_covered)
        if self.recorded:
            remarks.append(f"Recorded, not run here: {self.recorded}.")
        return remarks

    def to_text(self) -> str:
        """The schedule step by step, if it loses, and what was explored."""
        lines = [self.verdict + "."]
        if not self.holds:
            lines += ["", *self._threads_in_text(), "", *self._steps_in_text(), ""]
        return "\n".join([*lines, *self.remarks])

    def to_svg(self) -> str:
        """The schedule as a picture: a lane for each thread, time goes down."""
        return picture.draw(self)

    def shown(self) -> list[Step | int]:
        """The steps to look at; of a long schedule what goes wrong, its neighbours and both ends.

        A number stands for so many steps that are left out.
        """
        if len(self.steps) <= _MOST_STEPS:
            return list(self.steps)
        ends = {1, 2, len(self.steps) - 1, len(self.steps)}
        wrong = sorted({n for step in self.steps if step.clash for n in (step.number, step.clash)})
        stale = {n for step in self.steps if step.stale for n in (step.number, step.stale)}
        near = {
            n + d for n in (*wrong[-_MOST_STEPS // 2 :], *sorted(stale)[-4:]) for d in (-1, 0, 1)
        }
        shown: list[Step | int] = []
        for step in self.steps:
            if step.number in ends | near:
                shown.append(step)
            elif shown and isinstance(shown[-1], int):
                shown[-1] += 1
            else:
                shown.append(1)
        return shown

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
        return [
            f"{letter}: {plain(name)}" for letter, name in zip("ABCDEF", self.threads, strict=False)
        ]

    def _steps_in_text(self) -> list[str]:
        shown = self.shown()
        width = max((len(plain(s.line, _LONGEST)) for s in shown if isinstance(s, Step)), default=0)
        rows = []
        for step in shown:
            if isinstance(step, int):
                rows.append(f"   …  ({step} steps)")
                continue
            line = plain(step.line, _LONGEST).ljust(width)
            note = f"  <- {step.note}" if step.note else ""
            row = f"{step.number:4}  {step.thread}  {line}  {plain(step.action)}{note}"
            rows.append(row.rstrip())
        return rows
