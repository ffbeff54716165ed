"""Calls made in a process of their own: what crashes or hangs there costs that call, not the program.

The process is a fresh Python that imports what it needs while this one goes on. It is not `multiprocessing`, which
would run the caller's main module a second time, and whose shared memory lies in /dev/shm, of which containers have
64 MB. Arrays come back through the pipe uncopied, outside of the pickle: 6 ms for the mosaic of 12 megapixels.
"""

import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from threading import Timer
from typing import Any, Generic, NamedTuple, Self, TypeVar

from rdi.child import Child

Value = TypeVar("Value")

TIMEOUT = 300.0  # seconds; a hundred megapixels take two, on a slow computer with a slow card twenty
PHOTO_READING = ("rdi.camera.reading", "rawpy", "PIL.Image")  # modules that a process which reads photos preloads


class CallLostError(Exception):
    """The process of a call crashed or had to be killed; says which, as the end of a sentence: `crashed (SIGSEGV)`.

    What the process had printed is a note of it.
    """


class KilledError(CallLostError):
    """Somebody else ended the process, as the system does when memory runs out."""


class NotStartedError(CallLostError):
    """There is no process, or it does not get as far as taking calls: `does not start (...)`."""


class Answer(NamedTuple, Generic[Value]):
    """What a call returned, the milliseconds it took over there, and what was printed there meanwhile."""

    value: Value
    milliseconds: float
    printed: str = ""


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
        self._child: Child | None = None
        self._begun: _Begun | None = None
        with suppress(NotStartedError):  # the first call says it
            self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now; None where it died or was closed."""
        return self._child.pid if self._child else None

    def call(self, function: Callable[..., Value], *arguments: object) -> Answer[Value]:
        """Call a function of a module there; calls of several threads wait for each other.

        Raises whatever it raises, CallLostError where it crashes the process or takes too long or `close` was called.
        """
        with self._turn:
            child = self._started()
            late = threading.Event()
            timer = Timer(self._timeout, _give_up, (child, late))
            timer.daemon = True
            timer.start()
            try:
                failed, value, milliseconds = self._exchange(child, function, arguments)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:  # ValueError: closed meanwhile
                raise self._bury(child, late) from error
            except BaseException:  # no memory for the answer, Ctrl-C: its rest must not be taken for the next answer
                self._forget(child)
                raise
            finally:
                timer.cancel()
            printed = child.take_printed()
        if failed:
            raise value
        return Answer(value, milliseconds, printed)

    def begin(self, module: str, name: str, *arguments: object) -> None:
        """Have a call worked on that will be made later, and first: while this process still imports what makes it.

        module, name: of the function, which need not be imported here
        What is amiss is left to the call.
        """
        with self._turn, suppress(CallLostError, OSError, ValueError):
            child = self._started()
            child.request((_call_by_name, (module, name, *arguments)))
            self._begun = _Begun(child, (module, name, *arguments))

    def _exchange(self, child: Child, function: Callable[..., object], arguments: tuple[object, ...]) -> Any:
        """What the process answers to a call, which may have begun already."""
        begun, self._begun = self._begun, None
        if begun and begun.child is child:
            answer = child.answer()
            if begun.call == (function.__module__, function.__qualname__, *arguments):
                return answer
        child.request((function, arguments))
        return child.answer()

    def rest(self) -> None:
        """End the process between two calls, for the memory that it holds; the next call starts another."""
        with self._turn, self._lock:
            if self._child:
                self._child.end()
            self._child = None

    def close(self) -> None:
        """End the process, whatever it is doing; calls from now on are lost."""
        with self._lock:
            self._closed = True
            if self._child:
                self._child.end()
            self._child = None

    def _started(self) -> Child:
        with self._lock:
            if self._closed:
                raise CallLostError("was closed")
            if self._child is None:
                try:
                    self._child = Child(self._preload)
                except OSError as error:
                    raise NotStartedError(f"does not start ({error.strerror})") from error
            return self._child

    def _bury(self, child: Child, late: threading.Event) -> CallLostError:
        """Clear away a process that gave no answer; why it did not."""
        code = child.exit_code()  # before it is killed, which would be all that the code told of
        printed = child.take_printed()
        self._forget(child)
        if self._closed:
            error = CallLostError("was closed")
        elif late.is_set():
            error = CallLostError(f"took more than {self._timeout:g} seconds")
        elif code == -signal.SIGKILL:
            error = KilledError("was killed, perhaps for want of memory")
        elif not child.ready:
            error = NotStartedError(f"does not start ({', '.join([_cause(code), *printed.splitlines()[-1:]])})")
        else:
            error = CallLostError(f"crashed ({_cause(code)})")
        if printed:
            error.add_note(printed)
        return error

    def _forget(self, child: Child) -> None:
        with self._lock:
            child.end()
            self._child = None


class _Begun(NamedTuple):
    """A call whose answer nobody waits for yet."""

    child: Child
    call: tuple[object, ...]


def _call_by_name(module: str, name: str, *arguments: object) -> object:
    return getattr(import_module(module), name)(*arguments)


def _give_up(child: Child, late: threading.Event) -> None:
    late.set()
    child.kill()


def _cause(code: int | None) -> str:
    if code is None:
        return "an answer that breaks off"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"
