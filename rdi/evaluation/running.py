"""Measure every model on every capture: decoding, restoring and measuring overlap, one frame of each at a time."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any, NamedTuple

from rdi.errors import RdiError, TrainingDataError
from rdi.evaluation.captures import Listed, Scene, Source
from rdi.evaluation.measures import Measurement, Measures
from rdi.evaluation.models import Exposing, Model
from rdi.evaluation.rows import Row, key_of

Tell = Callable[[str], None]


@dataclass
class Stages:
    """Seconds by stage, and of the whole; stages overlap, so the whole may take less than their sum."""

    captures: float = 0.0  # decoding or simulating
    network: float = 0.0  # restoring: amplifier, network, and the session that a new size needs
    metrics: float = 0.0
    total: float = 0.0

    @property
    def cost(self) -> float | None:
        """The whole over the sum of the stages; None where nothing was done."""
        measured = self.captures + self.network + self.metrics
        return self.total / measured if measured else None

    def to_dict(self) -> dict[str, Any]:
        """Seconds, and the cost."""
        return {**asdict(self), "cost": self.cost}


@dataclass(frozen=True)
class Task:
    """What one row is about."""

    model: Model
    exposing: Exposing
    key: str


class _Pending(NamedTuple):
    """A row whose figures are being measured."""

    listed: Listed
    ratio: float | None
    task: Task
    amplification: float
    seconds: float
    measurement: Measurement


@dataclass
class Evaluator:
    """Measures models on captures.

    source, models, exposures, measures: what on, what, with which amplification, and how
    known: rows of an earlier run by their key: they are not measured again
    skip_damaged: go on without captures that cannot be decoded; `tell` says which
    """

    source: Source
    models: Sequence[Model]
    exposures: Sequence[Exposing]
    measures: Measures
    known: Mapping[str, Row] = field(default_factory=dict)
    skip_damaged: bool = False
    tell: Tell = print
    stages: Stages = field(default_factory=Stages)

    def __post_init__(self) -> None:
        self._plan = [(place, self._tasks(listed)) for place, listed in enumerate(self.source.listed)]

    @property
    def wanted(self) -> int:
        """How many rows there will be, if every ratio is known."""
        return sum(len(tasks) for _, tasks in self._plan)

    def known_rows(self) -> list[Row]:
        """Those of the rows wanted that an earlier run has measured, with the names that model and capture have now."""
        return [
            replace(self.known[task.key], model=task.model.name, capture=self.source.listed[place].name)
            for place, tasks in self._plan
            for task in tasks
            if task.key in self.known
        ]

    def in_order(self, rows: Iterable[Row]) -> list[Row]:
        """Rows as one run would have given them: by capture, then model, then exposure."""
        keys = (task.key for _, tasks in self._plan for task in tasks)
        places = {key: place for place, key in reversed([*enumerate(keys)])}
        return sorted(rows, key=lambda row: places[row.key])

    def rows(self) -> Iterator[Row]:
        """Measure what is not known yet, capture by capture; raises what decoding, a model or a metric raises."""
        open_tasks = [
            (place, [task for task in tasks if task.key not in self.known])
            for place, tasks in self._plan
            if not self._done(tasks)
        ]
        began = perf_counter()
        try:
            with _threads(1) as reader, _threads(_cores()) as workers:
                yield from self._rows(open_tasks, reader, workers)
        finally:
            self.stages.total += perf_counter() - began

    def _done(self, tasks: Collection[Task]) -> bool:
        return all(task.key in self.known for task in tasks)

    def _tasks(self, listed: Listed) -> list[Task]:
        """One for each model and exposure."""
        parts = [listed.identity, self.source.settings.get("data", ""), self.measures.identity]
        return [
            Task(model, exposing, key_of(*parts, model.digest, exposing))
            for model in self.models
            for exposing in self.exposures
        ]

    def _rows(self, plan: list[tuple[int, list[Task]]], reader: Executor, workers: Executor) -> Iterator[Row]:
        waiting: _Pending | None = None
        try:
            for listed, scene, tasks in self._scenes(plan, reader):
                for task in tasks:
                    if task.exposing is Exposing.GT and scene.ratio is None:
                        self.tell(f"{listed.name}: the true ratio is not known, gt is left out")
                        continue
                    begun = self._begin(listed, scene, task, workers, waiting)
                    if waiting:
                        yield self._finish(waiting)
                    waiting = begun
        except RdiError:
            if waiting:  # what was restored before is not lost with what cannot be
                yield self._finish(waiting)
            raise
        if waiting:
            yield self._finish(waiting)

    def _scenes(
        self, plan: list[tuple[int, list[Task]]], reader: Executor
    ) -> Iterator[tuple[Listed, Scene, list[Task]]]:
        """Each capture, decoded while the one before is worked on."""
        opening = [reader.submit(self._open, plan[0][0])] if plan else []
        for step, (place, tasks) in enumerate(plan):
            scene = self._scene(opening.pop())
            if step + 1 < len(plan):
                opening.append(reader.submit(self._open, plan[step + 1][0]))
            if scene:
                yield self.source.listed[place], scene, tasks

    def _open(self, place: int) -> tuple[Scene, float]:
        began = perf_counter()
        return self.source.open(place), perf_counter() - began

    def _scene(self, opening: "Future[tuple[Scene, float]]") -> Scene | None:
        """What was decoded; None where it cannot be and that is not to be the end."""
        try:
            scene, seconds = opening.result()
        except RdiError as error:
            if not self.skip_damaged or not isinstance(error, TrainingDataError):
                raise
            self.tell(f"left out: {error}")
            return None
        self.stages.captures += seconds
        return scene

    def _begin(self, listed: Listed, scene: Scene, task: Task, workers: Executor, waiting: _Pending | None) -> _Pending:
        """Restore, and have the picture measured once the one before it is: two at a time would be twice the memory."""
        began = perf_counter()
        picture, amplification = task.model.restore(scene.photo, task.exposing, scene.ratio)
        seconds = perf_counter() - began
        self.stages.network += seconds
        if waiting:
            waiting.measurement.result()
        measurement = self.measures.begin(workers, picture, scene.target)
        return _Pending(listed, scene.ratio, task, amplification, seconds, measurement)

    def _finish(self, pending: _Pending) -> Row:
        figures, seconds = pending.measurement.result()
        self.stages.metrics += seconds
        return Row(
            model=pending.task.model.name,
            capture=pending.listed.name,
            exposure=str(pending.task.exposing),
            ratio=pending.ratio,
            amplification=pending.amplification,
            misaligned=pending.listed.misaligned,
            network_ms=pending.seconds * 1000,
            key=pending.task.key,
            **vars(figures),
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _threads(count: int) -> Iterator[Executor]:
    """A pool that forgets what it has not begun when the block is left, by Ctrl-C too."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
