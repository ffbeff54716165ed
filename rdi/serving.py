"""What an isolated process does: answer the calls that come in, until nobody can make any more."""

import os
import pickle
import queue
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import IO

from rdi.child import send


def serve(preload: Sequence[str]) -> None:
    """Import modules, then answer calls; never returns.

    A module that cannot be imported is left to the calls that need it, which say so.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    for name in preload:
        with suppress(Exception):
            import_module(name)
    pickle.dump(True, answers)  # ready; goes out with the first answer, or before a crash of it
    answers.flush()
    while True:
        _answer(requests.get(), answers)


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Take requests in; the end of them is the end of this process, even while a call hangs."""
    try:
        while True:
            requests.put(pickle.load(sys.stdin.buffer))
    finally:  # closed, or broken off within a request
        os._exit(0)


def _answer(request: bytes, answers: IO[bytes]) -> None:
    """A function of its own, so that nothing of a call outlives it: a mosaic has a hundred megabytes."""
    start = time.perf_counter()
    failed, value = _attempt(request)
    send(answers, (failed, value, (time.perf_counter() - start) * 1000))


def _attempt(request: bytes) -> tuple[bool, object]:
    """Whether the call failed, and what it returned or raised; a function that is not to be found fails, too."""
    try:
        function, arguments = pickle.loads(request)
        return False, function(*arguments)
    except Exception as error:
        error.add_note("".join(traceback.format_tb(error.__traceback__)))  # what crosses a pipe has none
        return True, error
