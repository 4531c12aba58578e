"""What a browser would make of a piece of a page, read without a browser and without running it.

For checks of answers that put a stranger's text into a page.
"""

import unicodedata
from html.parser import HTMLParser
from typing import Any

from sockkit.exercises.running import Failed
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain


class PageReader(HTMLParser):
    """The elements and comments that a browser would make of a page, and the text in them.

    Attributes:
        found: each start of an element with the names of its attributes, each end, each comment.
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

    def handle_endtag(self, tag: str) -> None:
        """The end of an element, or one of none."""
        self.found.append(f"</{tag}>")

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
    "{Ann}",
    "50 % of $Ann",
    r"C:\new\Ann",
    "日本語 Ελληνικά, Ann²",
    "Ann from the third floor, second door on the left",
    "Ann O'Brien & Söhne, third floor, second door, on the left >",  # 60, and more once escaped
)
"""Names that a reader must see as they were typed: some mean something to a page, or to Python."""

TRICKS = {
    "a right-to-left override": "invoice\u202egpj.exe",
    "a terminal's escape code": "red\x1b[31m",
    "a line break": "Ann\nBen joined",
    "a zero-width space": "Ann\u200b",
    "a control character of eight bits": "red\x9b31m",
    "a soft hyphen": "Ann\u00ad",
    "a left-to-right isolate": "Ann\u2066",
    "a line separator": "Ann\u2028Ben joined",
    "half of a surrogate pair": "Ann\ud800",
}
"""Names that hold what is not to be seen: what it is, and the name."""

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that no reader sees, and a page obeys."""


def shown(trial: Trial, answer: Any, name: str) -> str:
    """What a reader sees of the page that the answer makes of a name; it must hold one `li`."""
    try:
        page = trial.call(answer, name)
    except Failed:
        raise NotYet("", f"an element for the name `{plain(name, 60)}`.") from None
    if not isinstance(page, str):
        raise NotYet(f"You returned `{plain(repr(page), 60)}`.", "a `str`: a piece of a page.")
    reader = PageReader(page.strip())  # around an element, blanks and new lines are nothing
    title = dict(reader.attributes).get("title") or ""
    called = f"I am called `{plain(name, 60)}`."
    if reader.found != ['<li title="…">', "</li>"]:
        raise NotYet(
            f"{called} A browser finds in your page: "
            f"{', '.join(f'`{plain(each, 80)}`' for each in reader.found) or 'no element'}; the "
            f"title is `{plain(title, 60)}`, the text `{plain(reader.text, 60)}`.",
            'one `<li title="…">`, one `</li>`, and the name in both places.',
            "Which characters does a page not take for text? And inside quotes?",
        )
    if title != reader.text:
        raise NotYet(f"{called} {_differ(title, reader.text)}", "the same text in both places.")
    return reader.text


def _differ(title: str, text: str) -> str:
    if max(len(title), len(text)) > 60:  # too long to be read
        return f"The title has {len(title):,} characters, the text {len(text):,}."
    return f"The title is `{_spelt(title)}`, the text `{_spelt(text)}`."


def _spelt(text: str) -> str:
    """The text with what nobody sees as Python spells it: `plain` would hide a difference."""
    unseen = (unicodedata.category(character) in UNSEEN for character in text)
    return "".join(ascii(c)[1:-1] if bad else c for c, bad in zip(text, unseen, strict=True))
