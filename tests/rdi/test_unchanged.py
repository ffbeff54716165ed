"""Files that change while they are read are told from those that are damaged, and never taken for whole."""

import os
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

import rdi.camera.reading as reading
import rdi.deep_pictures as deep_pictures
import rdi.pictures as pictures
from rdi.camera import RawPhoto, read_photo
from rdi.camera.containers import Container, check_container
from rdi.camera.dng import write_dng
from rdi.deep_pictures import load_deep_picture
from rdi.errors import InputError
from rdi.pictures import load_picture
from rdi.training.targets import read_target
from rdi.unchanged import unchanged


def remove(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def add(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def overwrite(path: Path) -> None:
    """As many bytes, other ones."""
    with path.open("rb+") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 100)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


CHANGES = [remove, cut_off, add, overwrite, replace]
Change = Callable[[Path], None]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_noticed(change: Change, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(1000))
    os.utime(path, ns=(1, 1))
    with unchanged(path):
        path.read_bytes()
    refusal = r"a.bin was changed or removed while it was read; try again"
    with pytest.raises(InputError, match=refusal), unchanged(path):
        change(path)


def test_an_error_of_the_half_that_was_read_is_explained_by_the_change(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(1000))
    with pytest.raises(InputError, match="was changed") as caught, unchanged(path):
        remove(path)
        raise InputError("it is damaged")
    assert str(caught.value.__cause__) == "it is damaged"
    path.write_bytes(bytes(1000))
    with pytest.raises(InputError, match="it is damaged"), unchanged(path):
        raise InputError("it is damaged")


@pytest.mark.parametrize("read", [read_photo, read_target])
@pytest.mark.parametrize("change", CHANGES)
def test_a_raw_photo_that_changes_before_libraw_opens_it_is_not_made_up(
    read: Callable[[Path], object],
    change: Change,
    small_photo: RawPhoto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LibRaw itself decodes half a file without a word, at full size."""
    path = tmp_path / "a.dng"
    write_dng(small_photo, path)
    os.utime(path, ns=(1, 1))

    def check_and_change(name: Path) -> Container:
        found = check_container(name)
        change(name)
        return found

    monkeypatch.setattr(reading, "check_container", check_and_change)
    with pytest.raises(InputError, match=r"a.dng was changed or removed while it was read"):
        read(path)


def test_a_picture_that_changes_while_it_is_decoded_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, flatten = tmp_path / "a.png", pictures._flatten
    Image.fromarray(np.full((20, 30, 3), 90, dtype=np.uint8)).save(path)

    def flatten_changed(picture: Image.Image) -> Image.Image:
        replace(path)
        return flatten(picture)

    assert load_picture(path).shape == (20, 30, 3)
    monkeypatch.setattr(pictures, "_flatten", flatten_changed)
    with pytest.raises(InputError, match=r"a.png was changed or removed while it was read"):
        load_picture(path)


def test_a_picture_of_16_bits_that_changes_while_it_is_decoded_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, decode = tmp_path / "a.png", deep_pictures._decode
    path.write_bytes(imagecodecs.png_encode(np.full((20, 30, 3), 9000, dtype=np.uint16)))

    def decode_changed(name: Path) -> object:
        decoded = decode(name)
        replace(name)
        return decoded

    assert load_deep_picture(path).shape == (20, 30, 3)
    monkeypatch.setattr(deep_pictures, "_decode", decode_changed)
    with pytest.raises(InputError, match=r"a.png was changed or removed while it was read"):
        load_deep_picture(path)
