"""Three stages around one session: the next photo is read, and the last picture written, while one is restored.

Each stage has one thread and one place to wait in, so that whatever the length of a batch, memory holds the photo being
restored, one before and one after it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 1  # photos read before they are asked for
BEHIND = 1  # pictures being written while the next one is restored


class Pipeline:
    """The threads that read and write; leaving it breaks off what waits and lets what is being written come to its end.

    interrupt: called first when leaving; must make a read that is going on end
    overlap:   whether the stages run at the same time; without it one item is worked on at a time, for less memory
    """

    def __init__(self, interrupt: Callable[[], None], *, overlap: bool = True) -> None:
        self._interrupt = interrupt
        self._ahead, self._behind = (AHEAD, BEHIND) if overlap else (0, 0)
        self._reader = ThreadPoolExecutor(1, "read")
        self._writer = ThreadPoolExecutor(1, "write")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._interrupt()
        self._writer.shutdown(cancel_futures=True)
        self._reader.shutdown()

    def prepare_writing(self, prepare: Callable[[], object]) -> None:
        """Call this on the thread that writes, before its first picture.

        A thread that starts with its first picture could be missed by a Ctrl-C in that moment: nobody waited for it.
        """
        self._writer.submit(prepare)

    def read_ahead(self, items: Iterable[Item], read: Callable[[Item], Result]) -> Iterator[Result]:
        """What is read of each item, in order; while the caller works with one, the next is being read."""
        reading: deque[Future[Result]] = deque()
        for item in items:
            reading.append(self._reader.submit(read, item))
            if len(reading) > self._ahead:
                yield reading.popleft().result()
        while reading:
            yield reading.popleft().result()

    def write_behind(
        self, writes: Iterable[Callable[[], Result]], tell: Callable[[Result], object] | None = None
    ) -> Iterator[Result]:
        """What each write gives, in order; while one is going on, the next is being worked out by `writes`.

        tell: called with it, on the thread that writes, as soon as the write has ended: the caller gets it only when
              `writes` has worked out the next one, and gets none of what ends while the pipeline is being left
        """
        writing: deque[Future[Result]] = deque()
        for write in writes:
            writing.append(self._writer.submit(_write, write, tell))
            del write  # and with it the picture, which otherwise lived on while the next one is made
            while writing and (len(writing) > self._behind or writing[0].done()):
                yield writing.popleft().result()
        while writing:
            yield writing.popleft().result()


def _write(write: Callable[[], Result], tell: Callable[[Result], object] | None) -> Result:
    result = write()
    if tell:
        tell(result)
    return result
