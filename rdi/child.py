"""A Python process that takes calls through its pipes: how it is started, spoken to and ended."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_PIPE_BYTES = 1 << 20  # what Linux grants everybody; other systems keep their own size
_LONGEST_TEXT = 1 << 16  # bytes of what it printed that are looked at
_LEAVING = 5.0  # seconds that a process may take from closing its pipe to its exit code
# The caller's own search path, in place of one that begins with the current folder: a `rawpy.py` among the photos must
# not be imported.
_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from rdi.serving import serve; serve(sys.argv[2:])"


class Child:
    """A process that was started; what it prints is kept in a file without a name.

    preload: modules that it imports first
    Raises OSError where the system starts no process.
    """

    def __init__(self, preload: Sequence[str]) -> None:
        path = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
        self._printed = _unnamed_file()
        self._read = 0  # bytes of it
        self.ready = False  # it imported what it was told to, or tried
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, path, *preload],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._printed,
                # Ctrl-C goes to every process of a terminal's group: this one ends when its owner says so, or ends.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError:
            self._printed.close()
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        _widen(self._answers)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def request(self, call: object) -> None:
        """Send a call; OSError or ValueError where nobody takes it."""
        self._requests.write(pickle.dumps(pickle.dumps(call)))  # twice: it is told apart before it is understood
        self._requests.flush()

    def answer(self) -> Any:
        """Wait for what the earliest call gives; EOFError, OSError, ValueError or UnpicklingError where none comes."""
        if not self.ready:
            self.ready = bool(pickle.load(self._answers))
        return receive(self._answers)

    def take_printed(self) -> str:
        """What it printed since the last time."""
        try:
            text = os.pread(self._printed.fileno(), _LONGEST_TEXT, self._read)
            self._read = os.fstat(self._printed.fileno()).st_size
        except (OSError, ValueError):  # closed meanwhile
            return ""
        return text.decode(errors="replace").strip()

    def exit_code(self) -> int | None:
        """Of a process that is leaving, negative for a signal; None where it lives on."""
        try:
            return self._process.wait(_LEAVING)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Break off whatever it does."""
        self._process.kill()

    def end(self) -> None:
        """Kill it, if it lives, and let go of its files."""
        self.kill()
        self._process.wait()
        for stream in (self._requests, self._answers, self._printed):
            with suppress(OSError):  # what was not yet written to it
                stream.close()


def _unnamed_file() -> IO[bytes]:
    """In memory on Linux: a computer may have no folder that can be written into."""
    if hasattr(os, "memfd_create"):
        with suppress(OSError):
            return os.fdopen(os.memfd_create("rdi"), "rb", buffering=0)
    import tempfile

    return tempfile.TemporaryFile(buffering=0)


def _widen(stream: IO[bytes]) -> None:
    """Give a pipe more room, where the system has it: without it reading is slower, and nothing else."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def send(stream: IO[bytes], value: object) -> None:
    """Write a value into a pipe, its arrays uncopied."""
    arrays: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    raw = [array.raw() for array in arrays]
    pickle.dump((body, [part.nbytes for part in raw]), stream)
    for part in raw:
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read what `send` wrote; EOFError where it breaks off, MemoryError where there is no room for its arrays."""
    import numpy as np

    body, sizes = pickle.load(stream)
    arrays = [np.empty(size, dtype=np.uint8) for size in sizes]
    for array in arrays:
        if stream.readinto(array.data) < array.nbytes:  # type: ignore[attr-defined]
            raise EOFError
    return pickle.loads(body, buffers=arrays)
