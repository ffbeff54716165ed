"""`rdi prepare`: decode a data set into a cache, going on where an earlier preparation was broken off."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rdi.errors import OutputError, RdiError, TrainingDataError
from rdi.leftovers import remove_leftovers
from rdi.locks import writer_lock
from rdi.training.amplification_table import Amplified, write_amplifications
from rdi.training.cache.contents import pair_entries
from rdi.training.cache.decoding import array_bytes, check_array, store_mosaic, store_target
from rdi.training.cache.entries import MOSAICS, TARGETS, MosaicEntry, TargetEntry, entry_file, read_entry
from rdi.training.cache.manifest import MANIFEST, DamagedManifestError, Manifest, read_manifest, write_manifest
from rdi.training.cache.opening import open_cache
from rdi.training.cache.processes import FileCall, call_all
from rdi.training.cache.space import as_gigabytes, require_space
from rdi.training.pairs import SplitPairs

PUBLISHED_M = 5.0
_OWN = re.compile(r"\.lock|mosaics|targets|manifest\.json|\w+_amplification\.csv|\.manifest\..*")  # what a cache holds
Entry = MosaicEntry | TargetEntry


@dataclass(frozen=True)
class PreparationObserver:
    """Who listens to a preparation; each callable may be left out.

    on_stage: what begins, and of how many files
    on_file:  one of them is done
    on_note:  something worth a line
    """

    on_stage: Callable[[str, int], None] = lambda *_: None
    on_file: Callable[[], None] = lambda: None
    on_note: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Preparation:
    """What a preparation did.

    manifest: of the cache as it is now
    decoded:  files
    kept:     files that were there already
    """

    manifest: Manifest
    decoded: int
    kept: int


@dataclass(frozen=True)
class _File:
    """One file to be decoded."""

    kind: str
    path: Path
    name: str


def default_workers() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare(
    data: SplitPairs,
    cache: Path,
    *,
    workers: int | None = None,
    skip_missing: bool = False,
    check: bool = False,
    observer: PreparationObserver | None = None,
) -> Preparation:
    """Decode each file of a data set once, in processes of their own, into a cache; what is there already is kept.

    workers:      processes; None = one for each processor
    skip_missing: leave out pairs with a file that turns out to be damaged, and go on
    check:        hash every array that is there; those that do not fit are made again
    A damaged file does not stop the others: it is reported when they are done, and the cache is then not finished.
    Raises TrainingDataError for files that cannot be used, OutputError for a folder that cannot be written, is being
    written by another process, holds something else, or whose disk is too small for what is missing.
    """
    observer = observer or PreparationObserver()
    _make_folder(cache)
    with writer_lock(cache, f"another `rdi prepare` is writing {cache}; wait for it, or give another --cache"):
        before = _require_own(cache, data, observer.on_note)
        for folder in (cache, cache / MOSAICS, cache / TARGETS):
            remove_leftovers(folder)
        run = _Run(data, cache, workers or default_workers(), skip_missing, observer)
        entries = run.find_entries(check=check)
        missing = [file for file in run.files if file not in entries]
        if missing or before is None or not before.complete:
            run.make_room(missing)
            write_manifest(cache, Manifest(data.kind))
        entries |= run.decode(missing)
        manifest = run.finish(entries, before)
    return Preparation(manifest, len(missing) - len(run.failures), len(run.files) - len(missing))


def check_cache(cache: Path, *, workers: int | None = None, observer: PreparationObserver | None = None) -> Manifest:
    """Hash all arrays of a cache; TrainingDataError for one that does not fit, and for a cache that is not whole."""
    observer = observer or PreparationObserver()
    manifest = open_cache(cache)
    calls = [FileCall(check_array, cache / entry.array.file, (entry.array.sha256,)) for entry in manifest.entries]
    problems = list[str]()
    observer.on_stage("hashing", len(calls))
    with closing(call_all(calls, workers or default_workers())) as answers:
        for _, problem in answers:
            observer.on_file()
            problems += [str(problem)] if problem else []
    if problems:
        raise TrainingDataError(
            f"{len(problems)} of {len(calls)} arrays are damaged: {problems[0]}; give --sid or --pairs as "
            "well, and it is made again"
        )
    return manifest


class _Run:
    """One preparation.

    files:    all that the data set names, each once
    failures: what could not be used, by its path
    """

    def __init__(
        self, data: SplitPairs, cache: Path, workers: int, skip_missing: bool, observer: PreparationObserver
    ) -> None:
        self.data, self.cache, self.workers = data, cache, workers
        self.skip_missing, self.observer = skip_missing, observer
        kinds = zip((MOSAICS, TARGETS), data.files(), strict=True)
        self.files = [_File(kind, path, data.name_of(path)) for kind, paths in kinds for path in paths]
        self.failures: dict[Path, RdiError] = {}

    def find_entries(self, *, check: bool) -> dict[_File, Entry]:
        """Entries that are there, of files that did not change since."""
        found = {file: read_entry(self.cache, file.kind, file.name) for file in self.files}
        entries = {file: entry for file, entry in found.items() if entry and entry.source.is_unchanged(file.path)}
        return self._with_right_hashes(entries) if check else entries

    def make_room(self, missing: Sequence[_File]) -> None:
        """Look at the headers of what is missing: is every file whole, and is there room for all of them?"""
        calls = {FileCall(array_bytes, file.path, (file.kind,)): file for file in missing}
        sizes = self._call("looking at files", list(calls))
        self._report_failures()
        needed = sum(size for size in sizes.values() if isinstance(size, int))
        require_space(self.cache, needed)
        if needed:
            self.observer.on_note(f"{len(sizes)} files to decode, {as_gigabytes(needed)}")

    def decode(self, missing: Sequence[_File]) -> dict[_File, Entry]:
        """Decode what is missing; failures are kept for the end."""
        stores = {MOSAICS: store_mosaic, TARGETS: store_target}
        calls = {
            FileCall(stores[file.kind], file.path, (file.name, self.cache)): file
            for file in missing
            if file.path not in self.failures
        }
        folders = [self.cache / kind for kind in (MOSAICS, TARGETS)]
        for folder in folders:
            folder.mkdir(exist_ok=True)
        try:
            results = self._call("decoding", list(calls))
        except BaseException:  # Ctrl-C, a full disk: the processes that wrote were ended in the middle of it
            for folder in folders:
                remove_leftovers(folder)
            raise
        return {calls[call]: entry for call, entry in results.items() if isinstance(entry, MosaicEntry | TargetEntry)}

    def finish(self, entries: dict[_File, Entry], before: Manifest | None) -> Manifest:
        """Write the manifest of the whole, and the tables of amplifications."""
        self._report_failures()
        data = self.data.without(self.failures) if self.failures else self.data
        found = [(file.name, entries[file]) for file in self.files if file in entries]
        mosaics = {name: entry for name, entry in found if isinstance(entry, MosaicEntry)}
        targets = {name: entry for name, entry in found if isinstance(entry, TargetEntry)}
        splits, skipped = pair_entries(data, mosaics, targets, skip=self.skip_missing)
        manifest = Manifest(data.kind, True, splits, mosaics, targets, (*data.skipped, *skipped))
        if manifest != before:
            for split, pairs in splits.items():
                rows = [Amplified(pair.mosaic, pair.ratio, mosaics[pair.mosaic].sums) for pair in pairs]
                write_amplifications(rows, PUBLISHED_M, self.cache / f"{split}_amplification.csv")
            write_manifest(self.cache, manifest)
        return manifest

    def _with_right_hashes(self, entries: dict[_File, Entry]) -> dict[_File, Entry]:
        calls = {
            FileCall(check_array, self.cache / entry.array.file, (entry.array.sha256,)): file
            for file, entry in entries.items()
        }
        for call, problem in self._call("hashing", list(calls)).items():
            if problem:
                file = calls[call]
                self.observer.on_note(f"{problem}; it is made again")
                entry_file(self.cache, file.kind, file.name).unlink(missing_ok=True)
                del entries[file]
        return entries

    def _call(self, stage: str, calls: Sequence[FileCall]) -> dict[FileCall, object]:
        """The results of those calls that had one; the others are failures."""
        results: dict[FileCall, object] = {}
        if calls:
            self.observer.on_stage(stage, len(calls))
        with closing(call_all(calls, self.workers)) as answers:
            for call, result in answers:
                if isinstance(result, RdiError):
                    self.failures[call.path] = result
                    self.observer.on_note(str(result))
                else:
                    results[call] = result
                self.observer.on_file()
        return results

    def _report_failures(self) -> None:
        """Stop for files that cannot be used, unless they may be left out."""
        if not self.failures or self.skip_missing:
            return
        places = self.data.without(self.failures).skipped[len(self.data.skipped) :]
        raise TrainingDataError(
            f"{len(self.failures)} of {len(self.files)} files cannot be used, for example {places[0]}; mend them and "
            "run it again (what is decoded is kept), or leave them out with --skip-missing"
        )


def _make_folder(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the cache {cache} cannot be made: {error.strerror}; give another --cache") from error


def _require_own(cache: Path, data: SplitPairs, note: Callable[[str], None]) -> Manifest | None:
    """The manifest of an earlier preparation of the same data; None for a new folder, and for a damaged manifest.

    Nothing is lost with that: it is put together again from the entries. Raises OutputError for a folder with anything
    else in it.
    """
    others = [entry.name for entry in cache.iterdir() if not _OWN.fullmatch(entry.name)]
    if not (cache / MANIFEST).exists():
        if others:
            raise OutputError(f"{cache} holds other things ({others[0]}) and no cache; give a new folder with --cache")
        return None
    try:
        manifest = read_manifest(cache)
    except DamagedManifestError as error:
        note(str(error))
        return None
    if manifest.kind != data.kind:
        raise OutputError(f"{cache} is the cache of {manifest.kind}, not of {data.kind}; give another --cache")
    return manifest
