"""`rdi prepare`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdi.cli.terminal import one_line, show
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.training.cache.preparation import PreparationObserver
    from rdi.training.pairs import SplitPairs


def prepare(
    cache: Annotated[Path | None, typer.Option(help="Folder to decode into; made if missing.")] = None,
    sid: Annotated[
        Path | None, typer.Option(help="Folder that holds SID's Sony/ or Fuji/, and the lists in it or beside it.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Folder of your own dark raw photos and bright ones of the same scenes.")
    ] = None,
    camera: Annotated[str, typer.Option(help="Part of SID: sony, or fuji (X-Trans).", metavar="sony|fuji")] = "sony",
    splits: Annotated[str, typer.Option(help="SID's lists, comma-separated: train, val, test.")] = "train,val",
    workers: Annotated[
        int | None, typer.Option(help="Processes that decode; default: one for each processor.", min=1)
    ] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out pairs with missing or damaged files, and say how many.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Hash all that is there; what does not fit is decoded again.")
    ] = False,
) -> None:
    """Decode SID, or your own pairs, once into a folder of arrays that rdi train --cache reads.

    Broken off, it goes on where it was; run again, it decodes only what is new or has changed. With --check alone it
    says whether a cache is whole.

    Example: rdi prepare --sid ~/SID --camera sony --cache ~/sid-cache
    """
    if cache is None:
        raise UsageError("--cache is missing; give the folder to decode into")
    if sid and pairs:
        raise UsageError("--sid and --pairs exclude each other; give each a cache of its own")
    if not (sid or pairs):
        if not check:
            raise UsageError(
                "nothing to prepare; give --sid DIR or --pairs DIR (or --check, for a cache that is there)"
            )
        return _check_alone(cache, workers)
    from rdi.training.cache.preparation import prepare as run
    from rdi.training.cache.space import as_gigabytes

    data = _read(sid, pairs, camera, splits, skip_missing)
    with _progress() as observer:
        done = run(data, cache, workers=workers, skip_missing=skip_missing, check=check, observer=observer)
    manifest = done.manifest
    counts = ", ".join(f"{len(entries)} pairs of {split}" for split, entries in manifest.splits.items())
    how = f"{done.decoded} files decoded, {done.kept} were there" if done.decoded else "all was there"
    show(f"{one_line(cache)}: {counts}; {how}; {as_gigabytes(manifest.bytes)}")
    if manifest.skipped:
        show(f"  {len(manifest.skipped)} pair(s) left out, for example: {one_line(manifest.skipped[0])}")
    return None


def _read(sid: Path | None, pairs: Path | None, camera: str, splits: str, skip_missing: bool) -> "SplitPairs":
    if pairs:
        from rdi.training.own_pairs import read_own_pairs

        return read_own_pairs(pairs, skip_missing=skip_missing)
    from rdi.training.choices import Camera
    from rdi.training.sid import ALL_SPLITS, read_sid

    assert sid is not None
    if camera not in list(Camera):
        raise UsageError(f"--camera {camera} is unknown; give {' or '.join(Camera)}")
    wanted = splits.split(",")
    if not set(wanted) <= set(ALL_SPLITS):
        raise UsageError(f"--splits {splits} is unknown; give some of {', '.join(ALL_SPLITS)}, separated by commas")
    return read_sid(sid, Camera(camera), wanted, skip_missing=skip_missing)


def _check_alone(cache: Path, workers: int | None) -> None:
    from rdi.training.cache.preparation import check_cache

    with _progress() as observer:
        manifest = check_cache(cache, workers=workers, observer=observer)
    show(
        f"{one_line(cache)}: whole; {len(manifest.mosaics)} mosaics, {len(manifest.targets)} targets ({manifest.kind})"
    )


@contextmanager
def _progress() -> "Iterator[PreparationObserver]":
    """A bar on stderr: files done, files a second, time left; notes above it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from rdi.training.cache.preparation import PreparationObserver

    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:

        def begin(stage: str, files: int) -> None:
            for task in progress.task_ids:
                progress.remove_task(task)
            progress.add_task(stage, total=files)

        yield PreparationObserver(
            on_stage=begin,
            on_file=lambda: progress.advance(progress.task_ids[-1]),
            on_note=lambda note: console.print(one_line(note), soft_wrap=True, markup=False, highlight=False),
        )
