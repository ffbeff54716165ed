"""Pictures cut into bands of rows, which are encoded on several threads and written in order.

A band is small: no encoder ever holds a second copy of the picture, and a picture that is made strip by strip can be
written strip by strip. How it is cut depends on nothing but the format, so that the same picture gives the same bytes
on any number of threads.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint16]
Encoded = TypeVar("Encoded")

LIBRARIES = 16_000_000  # bytes that the encoders' libraries take
HELD = 5  # bands for each thread: as given, converted, filtered, compressed, waiting; 4.3 was measured

ROWS = 64  # of a band: whole blocks of a JPEG, and a megabyte or two for an encoder's thread


def in_bands(strips: Iterable[Rows], rows: int = ROWS) -> Iterator[Rows]:
    """Cut strips that follow each other, (any, W, 3), into bands of so many rows; the last may have fewer.

    A band within a strip is a view of it, one across two strips a copy.
    """
    rest: Rows | None = None
    for strip in strips:
        start = 0
        if rest is not None:
            start = rows - rest.shape[0]
            rest = np.concatenate([rest, strip[:start]])
            if rest.shape[0] < rows:
                continue
            yield rest
        whole = start + (strip.shape[0] - start) // rows * rows
        yield from (strip[first : first + rows] for first in range(start, whole, rows))
        rest = strip[whole:] if whole < strip.shape[0] else None
    if rest is not None:
        yield rest


def encode_bands(bands: Iterable[Rows], encode: Callable[[Rows], Encoded], threads: int) -> Iterator[Encoded]:
    """Encode bands on so many threads, no more than two for each thread ahead of whoever takes them; in order."""
    if threads == 1:
        yield from map(encode, bands)
        return
    with ThreadPoolExecutor(threads, "encode") as pool:
        pending: deque[Future[Encoded]] = deque()
        for band in bands:
            pending.append(pool.submit(encode, band))
            if len(pending) > 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def encoding_bytes(width: int, bits: int, threads: int) -> int:
    """An upper bound of the memory that encoding a picture of this width takes, whatever its height."""
    return LIBRARIES + HELD * threads * ROWS * width * 3 * bits // 8
