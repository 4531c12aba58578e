'''Checked exercises: a learner types an answer, and reads what it does on live sockets.

    from sockkit.exercises import nb01 as ex

    ex.echo.check(my_echo)      # a Verdict: solved, not yet, not attempted yet
    ex.echo.hint()              # the next hint
    ex.echo.solution()          # one right answer
    ex.summary()                # what is solved in this session

Nothing is stored, tracked or sent. Works in a notebook, in a terminal, and where nobody watches.

How to write an exercise
------------------------

1. The model solution goes to `solutions/nbNN.py`, written as a learner would type it.
   For an exercise whose answer is a value, it is a function without arguments that ends with
   `return value`. What it imports, the notebook must import too.

2. The check goes to `nbNN.py`, under the name that learners will use. The first line of its
   docstring is the goal. It gets a `Trial` and the answer, and has a thread of its own for 3 s:

        lesson = Lesson("01")
        summary = lesson.summary

        @lesson.exercise(solution=solutions.echo, hints=("A nudge.", "Nearly everything."))
        def echo(trial: Trial, answer: Any) -> str:
            """Send back every byte, until the other side has finished."""
            partner, theirs = trial.pair()              # both ends of a TCP connection
            running = trial.start(answer, theirs)       # call the answer; don't wait
            partner.send(b"hello")
            got = partner.receive(5)                    # 5 bytes, or what came within 1 s
            if got != b"hello":
                raise NotYet(f"I sent 5 bytes and got {len(got)} back.", "all five.", "A question?")
            partner.finish()                            # FIN
            running.result(expected="it returns once I have finished.")
            return "Every byte came back."              # what is said when it is solved

   It judges behaviour alone. It never touches the answer but through `trial.call`, `trial.start`
   and their like, and waits only through its trial: then every answer is ended in time, an
   exception or a hang is told with its line, and whatever was left open is closed and told. What a
   solved exercise says must be the same each time: no port, time or number of a thread.

   The answer may be a function, a coroutine function, a class or, with `value=True`, any value.
   Messages speak as the check: what I did, what I got, what was expected, what to ask yourself.
   Words between backticks are shown as code.

3. In the notebook the stub stands in a cell that calls the check at its end, or in the cell before:

        def my_echo(connection):
            ...

        ex.echo.check(my_echo)

   That call is also how the answer key finds the stub: whatever cell defines `my_echo` gets the
   model solution, under that name. `python -m tools.answers` makes the key and runs it. A cell
   whose output differs from run to run carries the tag `nbval-ignore-output`.

4. Its table goes to `tests/exercises/tables/nbNN.py`: the stub, at least two right answers besides
   the model solution, at least three wrong ones, each with a pattern that its message must match.

        echo = Table(ex.echo)       # from ..table import Table

        @echo.stub
        def blank(connection): ...

        @echo.right
        def with_small_receives(connection): ...

        @echo.wrong(r"got 0 back")
        def silent(connection): ...

   A check that refuses a right answer or accepts a wrong one is a defect, found best by writing
   down the mistakes that people really make.
'''

from sockkit.exercises.lesson import Exercise, Lesson
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet, Verdict

__all__ = ["Exercise", "Lesson", "NotYet", "Trial", "Verdict"]
