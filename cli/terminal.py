"""What reaches the terminal: any file name can be printed, and none can command the terminal."""

import sys

from rdi.printable import printable as printable  # the commands take it from here


def accept_any_name() -> None:
    """Have stdout and stderr write what their encoding lacks (names from another system) as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stream put in its place by a program may have none
            stream.reconfigure(errors="backslashreplace")
