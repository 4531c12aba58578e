"""What a browser would make of a piece of a page, read without a browser and without running it.

For checks of answers that put a stranger's text into a page.
"""

from html.parser import HTMLParser


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
