"""What a caller in Python gives and gets: paths as text, exposures as numbers, sentences for what does not fit."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto, photo_from_array, read_photo
from rdi.errors import InputError, ModelError, OutputError, RdiError, UnsupportedMosaicError, UsageError
from rdi.models import shipped_sample
from rdi.runtime import Exposure, ExposureMode, Restorer, WhiteBalance, read_metadata, save_picture
from rdi.runtime.white_balance import WhiteBalanceMode


def test_paths_may_be_text(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copy(shipped_sample(), tmp_path / "photo.dng")
    photo = read_photo(str(tmp_path / "photo.dng"))
    assert photo.path == tmp_path / "photo.dng"
    assert read_metadata(str(tiny_model)).variant == "tiny"
    save_picture(Restorer(str(tiny_model)).restore(photo), str(tmp_path / "x.png"))
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("given", [60, 60.0, np.float32(60), np.int64(60), "60"])
def test_a_number_is_the_amplification(tiny_model: Path, dark_photo: RawPhoto, given: object) -> None:
    amplification = Restorer(tiny_model).restore(dark_photo, given).amplification  # type: ignore[arg-type]
    assert (amplification.value, amplification.mode) == (60, ExposureMode.NUMBER)


def test_words_are_those_of_the_command_line(tiny_model: Path, dark_photo: RawPhoto) -> None:
    restorer = Restorer(tiny_model)
    for word in (ExposureMode.AUTO, ExposureMode.PAPER):
        spoken, built = restorer.restore(dark_photo, str(word)), restorer.restore(dark_photo, Exposure(word))
        assert spoken.amplification == built.amplification
        assert spoken.amplification.mode is word
    assert restorer.restore(dark_photo).amplification.mode is ExposureMode.AUTO
    (bracketed,) = restorer.restore_bracket(dark_photo, "paper", [1.0])
    assert (bracketed.amplification.mode, bracketed.amplification.ev) == (ExposureMode.PAPER, 1.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (0, "amplification 0 is out of range; give 0.01 to 10000"),
        (-1.5, "out of range"),
        (float("nan"), "out of range"),
        ("bright", "give auto, paper or a number"),
        (True, "give an Exposure, auto, paper or a number"),
        ([60], "give an Exposure, auto, paper or a number"),
        (WhiteBalance(), "give an Exposure"),
    ],
)
def test_an_exposure_that_is_none_is_refused(tiny_model: Path, dark_photo: RawPhoto, given: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Restorer(tiny_model).restore(dark_photo, given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((4, 4), dtype=np.uint16), r"not ndarray; .*photo_from_array\(mosaic"),
        ("photo.ARW", r"not the path 'photo.ARW'; give rdi.camera.read_photo\(path\)"),
        (Path("photo.ARW"), r"not the path 'photo.ARW'"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_photo_is_answered_with_how_to_make_one(tiny_model: Path, given: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Restorer(tiny_model).restore(given)  # type: ignore[arg-type]


def test_errors_in_python_name_no_option_of_the_command_line(
    tiny_model: Path, dark_photo: RawPhoto, tmp_path: Path
) -> None:
    restorer = Restorer(tiny_model)
    restored = restorer.restore(dark_photo)
    xtrans = photo_from_array(np.full((12, 12), 600), "XTRANS", black_level=512, white_level=16383)

    def message(kind: type[RdiError], call: object, *arguments: object) -> str:
        with pytest.raises(kind) as caught:
            call(*arguments)  # type: ignore[operator]
        return str(caught.value)

    messages = [
        message(ModelError, Restorer, "nope.onnx"),
        message(ModelError, Restorer, str(tmp_path)),
        message(ModelError, Restorer, ""),
        message(InputError, read_photo, "nope.ARW"),
        message(OutputError, save_picture, restored, str(tmp_path / "missing" / "x.png")),
        message(OutputError, save_picture, restored, str(tmp_path / "x" / ".." / "missing" / "x.png")),
        message(UsageError, save_picture, restored, "x.bmp"),
        message(UnsupportedMosaicError, restorer.restore, xtrans),
        message(RdiError, WhiteBalance(WhiteBalanceMode.DAYLIGHT).apply, dark_photo),
    ]
    assert [text for text in messages if "--" in text] == []
    assert messages[0] == "model nope.onnx does not exist; give another path, or make one with `rdi export`"


def test_a_result_and_a_photo_print_in_a_few_lines(tiny_model: Path) -> None:
    mosaic = np.full((64, 64), 600, dtype=np.uint16)
    photo = RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0, exif=b"II*\0" * 500)
    restored = Restorer(tiny_model).restore(photo, 8)
    assert len(repr(restored)) < 700
    assert "Amplification(chosen=8.0" in repr(restored)
    assert "II*" not in repr(photo)
