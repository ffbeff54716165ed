"""What reaches the terminal: any file name can be printed, and none can command the terminal.

Every command prints through this module, and through it alone.
"""

import sys
from typing import Any

from rdi.printable import one_line as one_line  # the commands take them from here
from rdi.printable import printable as printable
from rdi.strict_json import write_json


def show(text: object) -> None:
    """A result, for people; at once, so that a disk that is full is known."""
    print(printable(text), flush=True)


def show_json(value: Any, indent: int | None = None) -> None:
    """A result, for programs."""
    print(write_json(value, indent), flush=True)


def tell(text: object) -> None:
    """One line to stderr, about what is being done or went wrong."""
    print(one_line(text), file=sys.stderr, flush=True)


def tell_choices(text: object) -> None:
    """Several lines to stderr: an error that lists what there is to choose from."""
    print(printable(text), file=sys.stderr, flush=True)


def accept_any_name() -> None:
    """Have stdout and stderr write what their encoding lacks (names from another system) as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stream put in its place by a program may have none
            stream.reconfigure(errors="backslashreplace")
