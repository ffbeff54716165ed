import importlib
from pathlib import Path

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.camera.dng import write_dng
from rdi.camera.rendering import develop
from rdi.errors import InputError
from rdi.runtime import Restorer, decoding
from rdi.runtime.batch import restore_files
from rdi.runtime.outcomes import Status
from rdi.runtime.rendering import write_comparison
from rdi.runtime.targets import Job


def night() -> RawPhoto:
    mosaic = 512 + np.random.default_rng(2).poisson(100, (40, 60))
    return RawPhoto(mosaic.astype(np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0, np.array([2.0, 1.0, 1.5]))


def test_a_photo_without_a_file_cannot_be_compared(tiny_model: Path, tmp_path: Path, dark_photo: RawPhoto) -> None:
    with pytest.raises(InputError, match="no file"):
        write_comparison(dark_photo, Restorer(tiny_model).restore(dark_photo), tmp_path / "a.jpg", develop, 1)


def test_another_size_in_libraws_rendering_is_an_error_not_a_crash(tiny_model: Path, tmp_path: Path) -> None:
    write_dng(night(), tmp_path / "a.dng")
    photo = read_photo(tmp_path / "a.dng")
    smaller = photo.replace(mosaic=photo.mosaic[:30])
    with pytest.raises(InputError, match=r"60x40 .* 60x30 restored; leave --compare-with-camera out"):
        write_comparison(photo, Restorer(tiny_model).restore(smaller), tmp_path / "b.jpg", develop, 1)


def test_a_rendering_that_crashes_libraw_costs_the_comparison_and_nothing_else(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fragile_rendering.py").write_text("import os\ndef develop(*_):\n    os.abort()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(decoding, "develop", importlib.import_module("fragile_rendering").develop)
    for name in ("a", "b"):
        write_dng(night(), tmp_path / f"{name}.dng")
    first = Job(tmp_path / "a.dng", tmp_path / "a_restored.jpg", compared=tmp_path / "a_compared.jpg")
    second = Job(tmp_path / "b.dng", tmp_path / "b_restored.jpg")
    outcomes = list(restore_files([first, second], Restorer(tiny_model, threads=1)))
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.RESTORED]
    assert "a.dng has no rendering to compare with: LibRaw crashed (SIGABRT)" in str(outcomes[0].error)
    assert (tmp_path / "a_restored.jpg").exists()
    assert not (tmp_path / "a_compared.jpg").exists()
    told = outcomes[0].as_json()
    assert (told["output"], told["compared"]) == (str(first.target), None)
