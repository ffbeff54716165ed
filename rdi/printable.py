"""Text that can be shown: any file name, and none that commands what shows it."""

import re

# Control characters but the newline, and those that turn the direction of writing.
_COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: object) -> str:
    """The text with characters that command a terminal, or turn the text beside them, written as escapes."""
    return _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], str(text))
