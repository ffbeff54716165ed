"""Calls made in a process of their own: what crashes or hangs there costs that call, not the program.

The process is a fresh Python that imports what it needs while this one goes on. It is not `multiprocessing`, which
would run the caller's main module a second time, and whose shared memory lies in /dev/shm, of which containers have
64 MB. Arrays come back through the pipe uncopied, outside of the pickle: 6 ms for the mosaic of 12 megapixels.
"""

import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Generic, NamedTuple, Self, TypeVar

Value = TypeVar("Value")

TIMEOUT = 300.0  # seconds; a hundred megapixels take two, on a slow computer with a slow card twenty
PHOTO_READING = ("rdi.camera.reading", "rawpy", "PIL.Image")  # modules that a process which reads photos preloads
_PIPE_BYTES = 1 << 20  # what Linux grants everybody; other systems keep their own size
# The caller's own search path, in place of one that begins with the current folder: a `rawpy.py` among the photos must
# not be imported.
_CHILD = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from rdi.isolated import serve; serve(sys.argv[2:])"


class CallLostError(Exception):
    """The process of a call crashed or had to be killed; says which, as the end of a sentence: `crashed (SIGSEGV)`."""


class Answer(NamedTuple, Generic[Value]):
    """What a call returned, and the milliseconds it took over there."""

    value: Value
    milliseconds: float


class IsolatedProcess:
    """A process that calls functions; started at once, replaced when it dies, ended by `close` or with this one.

    preload: modules that it imports before the first call
    timeout: seconds after which a call is given up
    """

    def __init__(self, preload: Sequence[str] = (), timeout: float = TIMEOUT) -> None:
        self._preload = tuple(preload)
        self._timeout = timeout
        self._lock = threading.Lock()  # of the fields below, held for moments
        self._turn = threading.Lock()  # of the pipes, held for a call
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now; None where it died or was closed."""
        return self._process.pid if self._process else None

    def call(self, function: Callable[..., Value], *arguments: object) -> Answer[Value]:
        """Call a function of a module there; calls of several threads wait for each other.

        Raises whatever it raises, CallLostError where it crashes the process or takes too long or `close` was called.
        """
        with self._turn:
            process = self._started()
            late = threading.Event()
            timer = threading.Timer(self._timeout, _give_up, (process, late))
            timer.daemon = True
            timer.start()
            try:
                failed, value, milliseconds = _exchange(process, (function, arguments))
            except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:  # ValueError: closed meanwhile
                raise CallLostError(self._bury(process, late.is_set())) from error
            except BaseException:  # no memory for the answer, Ctrl-C: its rest must not be taken for the next answer
                self._bury(process, late=False)
                raise
            finally:
                timer.cancel()
        if failed:
            raise value
        return Answer(value, milliseconds)

    def close(self) -> None:
        """End the process, whatever it is doing; calls from now on are lost."""
        with self._lock:
            self._closed = True
            if self._process:
                _end(self._process)
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise CallLostError("was closed")
            if self._process is None:
                self._process = _start(self._preload)
            return self._process

    def _bury(self, process: subprocess.Popen[bytes], late: bool) -> str:
        """Clear away a process that died; why it did."""
        with self._lock:
            _end(process)
            self._process = None
        if late:
            return f"took more than {self._timeout:g} seconds"
        return f"crashed ({_cause(process.returncode)})"


def _start(preload: Sequence[str]) -> subprocess.Popen[bytes]:
    path = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD, path, *preload],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pipesize=_PIPE_BYTES,
        # Ctrl-C goes to every process of a terminal's group: this one ends when its owner says so, or ends.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _give_up(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(OSError):  # what was not yet written to it
                stream.close()


def _cause(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _exchange(process: subprocess.Popen[bytes], request: object) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(pickle.dumps(request))
    process.stdin.flush()
    return _receive(process.stdout)


def _send(stream: IO[bytes], value: object) -> None:
    arrays: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    raw = [array.raw() for array in arrays]
    pickle.dump((body, [part.nbytes for part in raw]), stream)
    for part in raw:
        stream.write(part)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    import numpy as np

    body, sizes = pickle.load(stream)
    arrays = [np.empty(size, dtype=np.uint8) for size in sizes]
    for array in arrays:
        if stream.readinto(array.data) < array.nbytes:  # type: ignore[attr-defined]
            raise EOFError
    return pickle.loads(body, buffers=arrays)


def serve(preload: Sequence[str]) -> None:
    """What the process does: answer the requests that come in, until nobody can send any more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    requests: queue.SimpleQueue[tuple[Callable[..., object], tuple[object, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    for name in preload:
        import_module(name)
    while True:
        function, arguments = requests.get()
        start = time.perf_counter()
        failed, value = _attempt(function, arguments)
        _send(answers, (failed, value, (time.perf_counter() - start) * 1000))


def _listen(requests: queue.SimpleQueue[Any]) -> None:
    """Take requests in; the end of them is the end of this process, even while a call hangs."""
    while True:
        try:
            requests.put(pickle.load(sys.stdin.buffer))
        except EOFError:
            os._exit(0)


def _attempt(function: Callable[..., object], arguments: tuple[object, ...]) -> tuple[bool, object]:
    """Whether the call failed, and what it returned or raised."""
    try:
        return False, function(*arguments)
    except Exception as error:
        error.add_note("".join(traceback.format_tb(error.__traceback__)))  # what crosses a pipe has none
        return True, error
