import threading
import time
from functools import partial

import pytest

from rdi.runtime.pipeline import AHEAD, BEHIND, Pipeline


def nothing() -> None:
    pass


def test_stages_overlap_and_keep_their_order() -> None:
    """Each stage waits for the others' previous item: without overlap this would never end."""
    meeting = threading.Barrier(3, timeout=20)

    def read(number: int) -> int:
        if number >= 2:
            meeting.wait()
        return number

    def write(number: int) -> int:
        if number < 8:
            meeting.wait()
        return number

    with Pipeline(nothing) as pipeline:

        def writes():
            for number in pipeline.read_ahead(range(10), read):
                if 1 <= number < 9:
                    meeting.wait()
                yield partial(write, number)

        assert list(pipeline.write_behind(writes())) == list(range(10))


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_every_item_comes_back_once(count: int) -> None:
    with Pipeline(nothing) as pipeline:
        writes = (partial(str, number) for number in pipeline.read_ahead(range(count), abs))
        assert list(pipeline.write_behind(writes)) == [str(number) for number in range(count)]


def test_reading_does_not_run_away() -> None:
    read: list[int] = []

    def note(number: int) -> int:
        read.append(number)
        return number

    with Pipeline(nothing) as pipeline:
        for number in pipeline.read_ahead(range(20), note):
            time.sleep(0.002)
            assert len(read) <= number + 1 + AHEAD


def test_restoring_does_not_run_away_from_writing() -> None:
    written: list[int] = []

    def write(number: int) -> None:
        time.sleep(0.005)
        written.append(number)

    def writes():
        for number in range(12):
            assert number - len(written) <= 1 + BEHIND
            yield partial(write, number)

    with Pipeline(nothing) as pipeline:
        list(pipeline.write_behind(writes()))
    assert written == list(range(12))


def test_leaving_interrupts_the_reading_and_finishes_the_writing() -> None:
    interrupted, written = threading.Event(), []

    def write() -> None:
        time.sleep(0.2)
        written.append(1)

    with pytest.raises(ZeroDivisionError), Pipeline(interrupted.set) as pipeline:
        photos = pipeline.read_ahead(range(5), lambda number: number == 0 or interrupted.wait(30))
        next(photos)
        next(pipeline.write_behind([write, lambda: 1 / 0, write]))
        next(pipeline.write_behind([lambda: 1 / 0]))
    assert written == [1]
    assert interrupted.is_set()


def test_a_write_is_told_of_as_soon_as_it_ends() -> None:
    """The second is not worked out before the first was told of: without that this would fail after 20 seconds."""
    told, heard = list[int](), threading.Event()

    def tell(number: int) -> None:
        told.append(number)
        heard.set()

    def writes():
        yield partial(abs, 1)
        assert heard.wait(20)
        yield partial(abs, 2)

    with Pipeline(nothing) as pipeline:
        assert list(pipeline.write_behind(writes(), tell)) == [1, 2]
    assert told == [1, 2]


def test_what_is_finished_while_leaving_is_told_of() -> None:
    told, begun = list[str](), threading.Event()

    def write() -> str:
        begun.set()
        time.sleep(0.2)
        return "finished"

    def writes():
        yield write
        yield write
        assert begun.wait(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Pipeline(nothing) as pipeline:
        pipeline._behind = 2  # the second waits in line while the first is being written
        list(pipeline.write_behind(writes(), told.append))
    assert told == ["finished"]
