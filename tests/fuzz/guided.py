"""One target under atheris, which sees what each input reaches in the kit: for `tests.fuzz` alone.

`python -m tests.fuzz.guided TARGET` takes the options of libFuzzer, and ends the process itself.
"""

import sys

import atheris

with atheris.instrument_imports(include=["sockkit"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    name = sys.argv.pop(1)
    with TARGETS[name]() as target:
        play = getattr(target, "play", target)
        atheris.Setup(sys.argv, lambda data: play(bytes(data)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
