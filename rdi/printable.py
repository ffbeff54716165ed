"""Text that can be shown: any file name, and none that commands what shows it."""

import re

# Control characters but the newline, and those that turn the direction of writing or end a line.
_COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([|<\[`])")  # what begins a cell, a tag, a link or code in Markdown


def printable(text: object) -> str:
    """The text with characters that command a terminal, or turn the text beside them, written as escapes."""
    return _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], str(text))


def one_line(text: object) -> str:
    """The same on one line: a name with a newline in it must not look like two lines of ours."""
    return printable(text).replace("\n", "\\n")


def in_markdown(text: object) -> str:
    """The same as a part of a Markdown table or paragraph, in which it stays text."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def from_markdown(text: str) -> str:
    """What `in_markdown` was given, but for its escapes of characters that command."""
    return re.sub(r"\\([|<\[`])", r"\1", text)
