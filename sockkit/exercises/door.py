"""Who comes to the door of lesson 09: the token, and what strangers say instead."""

TOKEN = "open sesame"

WRONG = {
    "another line": b"close sesame\n",
    "the token without its last letter": TOKEN[:-1].encode() + b"\n",
    "the token and one letter more": TOKEN.encode() + b"s\n",
    "an empty line": b"\n",
    "letters that are not ASCII": "öpen sesame\n".encode(),
    "bytes that are no text": b"\xff\xfe\n",
}
"""Whole lines, and what each of them is."""

SILENT = {
    "the token and one more letter": TOKEN.encode() + b"s",
    "the token": TOKEN.encode(),
}
"""Whoever sends this says nothing more, and stays."""

LEAVING = {
    "half a line": TOKEN[:4].encode(),
    "the token without a newline": TOKEN.encode(),
}
"""Whoever sends this says nothing more, and has finished (FIN)."""
