"""What a browser would make of a piece of a page, read without a browser and without running it.

For checks of answers that put a stranger's text into a page.
"""

from html.parser import HTMLParser
from typing import Any

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain


class PageReader(HTMLParser):
    """The elements and comments that a browser would make of a page, and the text in them.

    Attributes:
        found: each element with the names of its attributes, and each comment, in words.
        attributes: of all elements, by name.
        text: what a reader sees.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element, by name, with the names of its attributes."""
        names = "".join(f' {name}="…"' for name, _ in attrs)
        self.found.append(f"<{tag}{names}>")
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """What nobody sees."""
        self.found.append("a comment")


NAMES = (
    "Ann",
    "Zoë Łukasz",
    "O'Brien & Söhne",
    "<b>bold</b>",
    "<img src=x onerror=alert(1)>",
    "</li><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "<!-- everything after this",
    "&lt;typed as it stands&gt;",
)
"""Names that a reader must see as they were typed."""

TRICKS = {
    "a right-to-left override": "invoice\u202egpj.exe",
    "a terminal's escape code": "red\x1b[31m",
    "a line break": "Ann\nBen joined",
    "a zero-width space": "Ann\u200b",
}
"""Names that hold what is not to be seen: what it is, and the name."""

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that no reader sees, and a page obeys."""


def shown(trial: Trial, answer: Any, name: str) -> str:
    """What a reader sees of the page that the answer makes of a name; it must hold one `li`."""
    page = trial.call(answer, name)
    if not isinstance(page, str):
        raise NotYet(f"You returned `{plain(repr(page), 60)}`.", "a `str`: a piece of a page.")
    reader = PageReader(page)
    title = dict(reader.attributes).get("title")
    expected = ['<li title="…">']
    if reader.found != expected or title != reader.text:
        raise NotYet(
            f"I am called `{plain(name, 60)}`. A browser finds in your page: "
            f"{', '.join(f'`{plain(each, 80)}`' for each in reader.found) or 'no element'}; the "
            f"title is `{plain(title, 60)}`, the text `{plain(reader.text, 60)}`.",
            'one `<li title="…">`, and the name in both places.',
            "Which characters does a page not take for text? And inside quotes?",
        )
    return reader.text
