"""What reaches the terminal: any file name can be printed, and none can command the terminal."""

import re
import sys

# Control characters but the newline, and those that turn the direction of writing.
_COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: object) -> str:
    """The text with characters that command a terminal written as escapes."""
    return _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], str(text))


def accept_any_name() -> None:
    """Have stdout and stderr write what their encoding lacks (names from another system) as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stream put in its place by a program may have none
            stream.reconfigure(errors="backslashreplace")
