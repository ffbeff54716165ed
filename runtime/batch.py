"""Restore files: decoded, restored and written side by side, told of in order; a damaged one does not stop the rest."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Protocol

from rdi.atomic import atomic_paths
from rdi.camera.containers import check_container
from rdi.camera.photo import RawPhoto
from rdi.errors import InputError, LevelsError, MemoryLimitError, ModelError, OutputError, RdiError, UsageError
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.leftovers import remove_leftovers
from rdi.memory import parse_bytes
from rdi.runtime.budget import ProcessLimit
from rdi.runtime.color_matrix import ColorMatrix
from rdi.runtime.decoding import develop_isolated, read_isolated
from rdi.runtime.exposure import Exposure
from rdi.runtime.outcomes import Outcome, Status
from rdi.runtime.pictures import PictureSettings, choose_settings, load_encoders, write_picture
from rdi.runtime.pictures.bands import encoding_bytes
from rdi.runtime.pipeline import Pipeline
from rdi.runtime.providers import Provider
from rdi.runtime.rendering import Develop, write_comparison
from rdi.runtime.restorer import Restored, Restorer, Stopwatch
from rdi.runtime.summary import summarise, write_sidecar
from rdi.runtime.targets import Job
from rdi.runtime.white_balance import WhiteBalance

# Of one photo: they do not stop the others.
PHOTO_ERRORS = (InputError, LevelsError, MemoryError, MemoryLimitError, ModelError, OutputError)


class Show(Protocol):
    """Looks at a picture while its pixels are held."""

    def __call__(self, job: Job, photo: RawPhoto, restored: Restored, process: IsolatedProcess) -> object:
        """process: the one that decodes photos, for calls of LibRaw."""


@dataclass(frozen=True, eq=False)
class _Read:
    """A photo as it was read: it, or why there is none.

    jobs:    the pictures to be made of it
    skipped: those that are there already
    decode:  milliseconds
    """

    jobs: Sequence[Job]
    skipped: Sequence[Outcome] = ()
    photo: RawPhoto | None = None
    decode: float = 0.0
    error: RdiError | None = None


def restore_files(
    jobs: Sequence[Job],
    restorer: Restorer,
    *,
    exposure: Exposure | None = None,
    white_balance: WhiteBalance | None = None,
    color_matrix: ColorMatrix | None = None,
    settings: PictureSettings | None = None,
    overwrite: bool = False,
    max_memory: int | str | None = None,
    process: IsolatedProcess | None = None,
    tell: Callable[[Outcome], object] | None = None,
    show: Show | None = None,
) -> Generator[Outcome, None, None]:
    """Restore photos into files, yielding what became of each in the order of the photos.

    While one photo is restored the next is decoded, in a process of its own that a damaged file may crash, and the last
    picture is written. Jobs of one photo that follow each other, a bracket, share one decoding.

    Without `overwrite` no file that exists is replaced, nor one that another process has written meanwhile. A picture
    is skipped if all of its files exist; if some do, it is restored for the sake of the others. A photo whose container
    is not whole, missing, cut off or none at all, is never reported as done because an old picture lies beside it.

    max_memory: bytes, or text such as "400MB", of all that this process may hold: one photo at a time is worked on
             then, in strips where it must be
    process: that decodes, closed at the end; by default a new one
    tell:    called with each outcome as soon as it is known, on the thread that writes; the generator yields it only
             when the next picture is restored, and does not yield what is finished while the batch is being ended
    show:    called with each picture that was restored, before it is told of, on that thread too, and with the process
             that decodes: for whoever needs the pixels
    Errors of a photo or of its output are its outcome; those of a provider or of the options are raised. Closing the
    generator ends the batch: what is being written is finished, nothing else is begun.
    """
    white_balance, color_matrix = white_balance or WhiteBalance(), color_matrix or ColorMatrix()
    limit = None if max_memory is None else _process_limit(max_memory, jobs, restorer, settings)
    with (
        process or IsolatedProcess(PHOTO_READING) as decoder,
        Pipeline(decoder.close, overlap=limit is None) as pipeline,
    ):
        white_balance.require_usable(restorer.model)
        color_matrix.require_usable(restorer.model)
        pipeline.prepare_writing(load_encoders)
        for folder in {job.target.parent for job in jobs}:  # of what is skipped, too, and so is written no more
            remove_leftovers(folder)

        def colours(photo: RawPhoto) -> RawPhoto:
            return white_balance.apply(color_matrix.apply(photo))

        read = partial(_read, decoder=decoder, colours=colours, overwrite=overwrite, alone=limit is not None)
        photos = pipeline.read_ahead((list(bracket) for _, bracket in groupby(jobs, lambda job: job.photo)), read)
        develop = partial(develop_isolated, decoder)
        write = partial(_write, settings=settings, threads=restorer.threads, develop=develop, overwrite=overwrite)
        if show:
            write = partial(write, show=partial(show, process=decoder))
        # Under a limit 8-bit pictures are made as such; without one it is quicker to round them while encoding.
        bits = (settings or PictureSettings()).bits if limit else 16
        bracket = partial(restorer.restore_bracket, exposure=exposure, bits=bits, limit=limit)
        restore = partial(_restore, bracket=bracket, write=write)
        yield from pipeline.write_behind(chain.from_iterable(map(restore, photos)), tell)


def _process_limit(
    max_memory: int | str, jobs: Sequence[Job], restorer: Restorer, settings: PictureSettings | None
) -> ProcessLimit:
    if restorer.provider is not Provider.CPU:
        raise UsageError(f"a memory limit is for the provider cpu; {restorer.provider} has memory of its own")
    if any(job.compared for job in jobs):
        raise UsageError("LibRaw's own rendering, to compare with, keeps to no memory limit; leave one of them out")
    given = parse_bytes(max_memory) if isinstance(max_memory, str) else max_memory
    encoding = partial(encoding_bytes, bits=(settings or PictureSettings()).bits, threads=restorer.threads)
    return ProcessLimit.from_now(given, encoding)


def _read(
    jobs: Sequence[Job],
    decoder: IsolatedProcess,
    colours: Callable[[RawPhoto], RawPhoto],
    overwrite: bool,
    alone: bool,
) -> _Read:
    """Read the photo of these jobs, unless all of its pictures are there already.

    colours: gives a photo its matrix and white balance
    alone: end the decoder afterwards, for the sake of a memory limit
    """
    done = [] if overwrite else [job for job in jobs if job.existing == job.outputs]
    wanted = [job for job in jobs if job not in done]
    skipped = [Outcome(job, Status.SKIPPED, kept=job.outputs) for job in done]
    try:
        check_container(jobs[0].photo)
        if not wanted:
            return _Read((), skipped)
        try:
            answer = read_isolated(decoder, jobs[0].photo)
        finally:
            if alone:
                decoder.rest()
        return _Read(wanted, skipped, colours(answer.value), answer.milliseconds)
    except PHOTO_ERRORS as error:
        return _Read(jobs, error=_of_photo(error, jobs[0].photo))


def _restore(
    read: _Read,
    bracket: Callable[..., Iterator[Restored]],
    write: Callable[[Job, RawPhoto, Restored, float], Outcome],
) -> Iterator[Callable[[], Outcome]]:
    """Restore the pictures of one photo; for each a call that writes its files and says what became of it."""
    yield from (partial(_known, outcome) for outcome in read.skipped)
    done, error = 0, read.error
    if read.photo is not None:
        try:
            for restored in bracket(read.photo, stops=[job.ev for job in read.jobs]):
                yield partial(write, read.jobs[done], read.photo, restored, read.decode)
                del restored  # the picture belongs to whoever writes it now
                done += 1
        except PHOTO_ERRORS as caught:
            error = _of_photo(caught, read.jobs[0].photo)
    if error:
        yield from (partial(_known, Outcome(job, Status.FAILED, error=error)) for job in read.jobs[done:])


def _known(outcome: Outcome) -> Outcome:
    """The write of a picture that is not written: it waits for its turn to be told of."""
    return outcome


def _write(
    job: Job,
    photo: RawPhoto,
    restored: Restored,
    decode: float,
    *,
    settings: PictureSettings | None,
    threads: int,
    develop: Develop,
    overwrite: bool,
    show: Callable[[Job, RawPhoto, Restored], object] | None = None,
) -> Outcome:
    """Write the files of one picture: all of them, or those that are not there yet."""
    encoding, outputs = Stopwatch(), _Outputs(job, overwrite)
    if outputs.done:
        return Outcome(job, Status.SKIPPED, kept=outputs.kept)
    try:
        _make_folder(job.target.parent)
        # Renamed together: a sidecar must not tell of another picture than the one beside it.
        with outputs.write(job.target, job.sidecar) as places:
            if job.target in places:
                with encoding.measure("encode"):
                    chosen = settings or choose_settings(job.target)
                    warnings = write_picture(restored, places[job.target], chosen, threads)
                photo = photo.replace(warnings=(*photo.warnings, *warnings))
            summary = summarise(photo, restored, {"decode": decode, **restored.timings, **encoding.timings})
            if job.sidecar in places:
                write_sidecar(job.photo, job.target, summary, places[job.sidecar])
        with outputs.write(job.compared) as places:
            for place in places.values():
                write_comparison(photo, restored, place, develop, threads)
        if not outputs.written:
            return Outcome(job, Status.SKIPPED, kept=outputs.kept)
        if show:
            show(job, photo, restored)
    except PHOTO_ERRORS as error:
        failure = _of_photo(error, job.photo)
        return Outcome(job, Status.FAILED, error=failure, written=outputs.written, kept=outputs.kept)
    return Outcome(job, Status.RESTORED, summary, written=outputs.written, kept=outputs.kept)


class _Outputs:
    """The files of one picture while they are written.

    Which of them are there is asked when work on them begins, to spare it, and once more when they get their names:
    another batch may be at work on the same photos.
    """

    def __init__(self, job: Job, overwrite: bool) -> None:
        self._job, self._overwrite = job, overwrite
        self._written = set[Path]()
        self._kept = set[Path]() if overwrite else {*job.existing}

    @property
    def written(self) -> tuple[Path, ...]:
        """Those that were written."""
        return tuple(path for path in self._job.outputs if path in self._written)

    @property
    def kept(self) -> tuple[Path, ...]:
        """Those that were there and had to stay."""
        return tuple(path for path in self._job.outputs if path in self._kept)

    @property
    def done(self) -> bool:
        """Whether there is nothing to write."""
        return self.kept == self._job.outputs

    @contextmanager
    def write(self, *paths: Path | None) -> Iterator[dict[Path, Path]]:
        """Output -> the path to write it to, for those that are wanted and not there; they get their names together."""
        wanted = [path for path in paths if path is not None and path not in self._kept]
        stayed = list[Path]()
        with atomic_paths(*wanted, kept=None if self._overwrite else stayed) as temporaries:
            yield dict(zip(wanted, temporaries, strict=True))
        self._kept.update(stayed)
        self._written.update(set(wanted) - set(stayed))


def _of_photo(error: Exception, photo: Path) -> RdiError:
    """An error of a photo, which Python's own for want of memory says nothing of."""
    if isinstance(error, RdiError):
        return error
    return MemoryLimitError(f"not enough memory for {photo}; try --max-memory, a smaller one if given, or --threads 1")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make folder {folder}: {error.strerror}; give another place with --out") from error
