"""Calls about files, spread over several processes: what crashes or hangs costs its file, not the rest."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from rdi.errors import InputError, LevelsError, TrainingDataError
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.training.isolated_files import call_isolated

_AHEAD = 2  # calls waiting for each process
FILE_ERRORS = (InputError, LevelsError, TrainingDataError)  # of one file: the others go on


class FileCall(NamedTuple):
    """A call of a module's function, `function(path, *arguments)`."""

    function: Callable[..., object]
    path: Path
    arguments: tuple[object, ...] = ()


def call_all(calls: Sequence[FileCall], workers: int) -> Generator[tuple[FileCall, object], None, None]:
    """Make all calls, each in one of `workers` processes; yields each with its result, or its RdiError, as it is done.

    Closing the generator, or an error that is not of one file (the disk is full, LibRaw is missing), ends all of them
    at once; that error is raised.
    """
    idle: SimpleQueue[IsolatedProcess] = SimpleQueue()
    with ExitStack() as stack:
        executor = ThreadPoolExecutor(workers)
        stack.callback(executor.shutdown, cancel_futures=True)  # last: the processes are gone by then
        for _ in range(min(workers, len(calls))):
            idle.put(stack.enter_context(IsolatedProcess(PHOTO_READING)))
        running: dict[Future[object], FileCall] = {}
        waiting = iter(calls)
        while True:
            while len(running) < workers * _AHEAD and (call := next(waiting, None)):
                running[executor.submit(_attempt, call, idle)] = call
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _attempt(call: FileCall, idle: "SimpleQueue[IsolatedProcess]") -> object:
    process = idle.get()
    try:
        return call_isolated(process, call.function, call.path, *call.arguments)
    except FILE_ERRORS as error:
        return error
    finally:
        idle.put(process)
