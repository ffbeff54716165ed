"""What LibRaw must not do to a batch, and what a batch keeps in memory."""

import importlib
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import Compression, write_dng
from rdi.errors import MemoryLimitError, MissingPackageError, ModelError
from rdi.isolated import IsolatedProcess
from rdi.runtime import Restored, Restorer, batch, decoding
from rdi.runtime.batch import restore_files
from rdi.runtime.exposure import Exposure
from rdi.runtime.outcomes import Status
from rdi.runtime.pictures import PictureSettings, write_picture
from rdi.runtime.targets import Job

# A module that the decoding process can import: LibRaw crashing or hanging on a file of that name.
FRAGILE = """
import os, time
from rdi.camera import reading

def read_photo(path):
    if path.stem == "crash":
        os.abort()
    if path.stem == "huge":
        raise MemoryError
    if path.stem == "killed":
        os.kill(os.getpid(), 9)
    if path.stem == "corrupt":
        os.write(2, f"{path}: data corrupted at 4711\\n".encode() * 2)
    if path.stem == "hang":
        open(HANGING, "w").close()
        time.sleep(600)
    return reading.read_photo(path)
"""


def jobs_for(folder: Path, photo: RawPhoto, *names: str) -> list[Job]:
    jobs = []
    for name in names:
        write_dng(photo, folder / f"{name}.dng")
        jobs.append(Job(folder / f"{name}.dng", folder / f"{name}.png"))
    return jobs


@pytest.fixture
def fragile(tmp_path: Path, hanging: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "fragile_reading.py").write_text(f"HANGING = {str(hanging)!r}\n{FRAGILE}")
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    monkeypatch.setattr(decoding, "read_photo", importlib.import_module("fragile_reading").read_photo)
    yield
    del sys.modules["fragile_reading"]


def test_a_photo_that_crashes_libraw_is_named_and_the_rest_go_on(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path, fragile: None
) -> None:
    jobs = jobs_for(tmp_path, small_photo, "a", "crash", "b", "hang", "huge", "c", "killed", "d")
    process = IsolatedProcess()
    outcomes = list(restore_files(jobs, Restorer(tiny_model), process=process))
    assert [str(outcome.status) for outcome in outcomes] == [
        *("restored", "failed"),
        *("restored", "failed", "failed", "restored"),
        *("failed", "restored"),
    ]
    assert "crash.dng is damaged: LibRaw crashed (SIGABRT) on it" in str(outcomes[1].error)
    assert "hang.dng is damaged: LibRaw took more than 300 seconds on it" in str(outcomes[3].error)
    assert "huge.dng needs more memory than there is" in str(outcomes[4].error)
    assert "killed.dng cannot be read: LibRaw was killed, perhaps for want of memory" in str(outcomes[6].error)
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == ["a", "b", "c", "d"]
    assert process.pid is None


def test_what_libraw_complains_of_is_a_warning_of_its_photo(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path, fragile: None, capfd: pytest.CaptureFixture[str]
) -> None:
    outcomes = list(restore_files(jobs_for(tmp_path, small_photo, "corrupt", "b"), Restorer(tiny_model)))
    warned, other = (outcome.summary for outcome in outcomes)
    assert warned is not None
    assert other is not None
    assert warned.warnings == ("LibRaw says 'data corrupted at 4711': a part of the picture may be made up",)
    assert other.warnings == ()
    assert capfd.readouterr().err == ""


def test_what_libraw_prints_of_a_file_it_refuses_stays_off_stderr(
    tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    counts = 512 + np.random.default_rng(2).poisson(100, (200, 300))
    photo = RawPhoto(counts.astype(np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0)
    write_dng(photo, tmp_path / "a.dng", compression=Compression.LJPEG)
    content = bytearray((tmp_path / "a.dng").read_bytes())
    ends = b"\xff\xd9" * (len(content) // 4)  # the last of them where a whole JPEG has it
    content[-len(ends) :] = ends
    (tmp_path / "a.dng").write_bytes(content)
    (outcome,) = restore_files([Job(tmp_path / "a.dng", tmp_path / "a.png")], Restorer(tiny_model))
    assert "a.dng cannot be decoded: LibRaw says 'Data error" in str(outcome.error)
    assert capfd.readouterr().err == ""


def test_exif_that_is_left_out_of_a_picture_is_a_warning_of_its_photo(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path
) -> None:
    write_dng(small_photo, tmp_path / "a.dng", description="x" * 70_000)
    outcomes = list(restore_files([Job(tmp_path / "a.dng", tmp_path / "a.jpg")], Restorer(tiny_model)))
    assert outcomes[0].summary is not None
    assert any("left out: ImageDescription" in warning for warning in outcomes[0].summary.warnings)


def test_without_libraw_a_batch_ends_and_says_why(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "rawpy.py").write_text("raise ImportError('libraw.so.23: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    jobs = jobs_for(tmp_path, small_photo, "a", "b")
    with pytest.raises(MissingPackageError, match=r"rawpy cannot be loaded \(libraw\.so\.23.*--force-reinstall rawpy"):
        list(restore_files(jobs, Restorer(tiny_model)))
    (tmp_path / "modules" / "rawpy.py").write_text("import os; os.abort()")
    with pytest.raises(MissingPackageError, match=r"LibRaw's process does not start \(SIGABRT.*reinstall rawpy"):
        list(restore_files(jobs, Restorer(tiny_model)))


@pytest.mark.parametrize("where", ["restore", "save"])
def test_memory_that_does_not_suffice_costs_one_photo(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(restored: Restored, path: Path, *rest: Any) -> Any:
        if path.name.startswith(".b."):
            raise MemoryError
        return write_picture(restored, path, *rest)

    if where == "save":
        monkeypatch.setattr(batch, "write_picture", fail)
    restorer = Watched(tiny_model, fail=1 if where == "restore" else None, error=MemoryError())
    outcomes = list(restore_files(jobs_for(tmp_path, small_photo, "a", "b"), restorer))
    assert [str(outcome.status) for outcome in outcomes] == ["restored", "failed"]
    assert isinstance(outcomes[1].error, MemoryLimitError)
    assert "not enough memory for" in str(outcomes[1].error)
    assert "b.dng; try --max-memory" in str(outcomes[1].error)


class Watched(Restorer):
    """Keeps an eye on its pictures and fails where it is told to."""

    def __init__(self, model: Path, fail: int | None = None, error: Exception | None = None) -> None:
        super().__init__(model)
        self.images: list[weakref.ref[Any]] = []
        self.alive: list[int] = []
        self.fail = fail
        self.error = error or ModelError("no memory")

    def restore_bracket(
        self, photo: RawPhoto, exposure: Exposure | float | str | None = None, stops: Any = (0.0,), **options: Any
    ) -> Iterator[Restored]:
        if len(self.images) == self.fail:
            raise self.error
        for restored in super().restore_bracket(photo, exposure, stops, **options):
            image = np.array(restored.image)
            self.images.append(weakref.ref(image))
            self.alive.append(sum(reference() is not None for reference in self.images))
            object.__setattr__(restored, "image", image)
            del image
            yield restored
            del restored


def test_memory_holds_few_pictures_however_long_the_batch(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path
) -> None:
    restorer = Watched(tiny_model)
    jobs = jobs_for(tmp_path, small_photo, *(f"{number:02}" for number in range(12)))
    assert len(list(restore_files(jobs, restorer, settings=PictureSettings()))) == 12
    assert max(restorer.alive) <= 3


def test_a_frame_that_the_network_fails_on_is_one_failure(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path
) -> None:
    restorer = Watched(tiny_model, fail=1)
    jobs = jobs_for(tmp_path, small_photo, "a", "b")
    assert [outcome.status for outcome in restore_files(jobs, restorer)] == [Status.RESTORED, Status.FAILED]


def test_closing_ends_the_batch_and_its_process(small_photo: RawPhoto, tiny_model: Path, tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path, small_photo, *"abcdefgh")
    process = IsolatedProcess()
    outcomes = restore_files(jobs, Restorer(tiny_model), process=process)
    assert next(outcomes).status is Status.RESTORED
    outcomes.close()
    assert process.pid is None
    assert len(list(tmp_path.glob("*.png"))) < 8
    assert [path.name for path in tmp_path.iterdir() if path.suffix not in (".png", ".dng")] == []


def test_what_a_killed_batch_left_goes_even_where_its_picture_is_done(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path
) -> None:
    """It was killed in the moment after the picture got its name: the note that told of it is still there."""
    (job,) = jobs_for(tmp_path, small_photo, "a")
    job.target.write_bytes(b"done")
    (tmp_path / ".a.png.writing").write_text(".a.0123456789ab.png")
    (tmp_path / ".b.png.writing").write_text(".b.0123456789ab.png")
    (tmp_path / ".b.0123456789ab.png").write_bytes(b"half")
    (outcome,) = restore_files([job], Restorer(tiny_model))
    assert outcome.status is Status.SKIPPED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dng", "a.png"]
