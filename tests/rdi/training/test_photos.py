"""Which photos are trained on, and which never."""

import numpy as np
import pytest
from PIL import Image

from rdi.errors import TrainingDataError
from rdi.training.photos import PhotoShelf, find_photos, split_photos


@pytest.fixture
def folder(tmp_path):
    generator = np.random.default_rng(0)
    for name in "abcdefghij":
        Image.fromarray(generator.integers(0, 256, (200, 220, 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def names(paths):
    return [path.stem for path in paths]


def test_lists_beside_the_photos_name_what_is_never_trained_on(folder):
    (folder / "VALIDATION.txt").write_text("c.png\na.png\n")
    (folder / "HARDER.txt").write_text("b.png\n\n")
    training, validation = split_photos(folder)
    assert names(validation) == ["c", "a"]
    assert names(training) == list("defghij")


def test_without_lists_some_are_held_out_by_name_and_stay_so(folder):
    training, validation = split_photos(folder)
    assert len(validation) == 1
    assert sorted(names(training + validation)) == list("abcdefghij")
    Image.new("RGB", (200, 200)).save(folder / "zz.png")
    assert set(split_photos(folder)[1]) <= {*validation, folder / "zz.png"}


def test_a_listed_photo_that_is_missing_is_named(folder):
    (folder / "VALIDATION.txt").write_text("nobody.png\n")
    with pytest.raises(TrainingDataError, match=r"nobody\.png"):
        split_photos(folder)


def test_folders_without_anything_to_train_on_are_refused(folder, tmp_path):
    with pytest.raises(TrainingDataError, match="is not a folder"):
        find_photos(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingDataError, match="holds no photo"):
        find_photos(tmp_path / "empty")
    (folder / "VALIDATION.txt").write_text("\n".join(f"{name}.png" for name in "abcdefghij"))
    with pytest.raises(TrainingDataError, match="all held out"):
        split_photos(folder)


def test_photos_beyond_the_memory_budget_are_decoded_again(folder):
    paths = find_photos(folder)
    rich, poor = PhotoShelf(paths, smallest=192), PhotoShelf(paths, smallest=192, budget=3 * 200 * 220 * 3)
    assert len(poor) == 10
    for index in (0, 4, 9):
        assert np.array_equal(rich[index], poor[index])
    assert rich[4] is rich[4]
    assert poor[4] is not poor[4]


def test_photos_that_cannot_be_used_are_left_out_and_named(folder):
    Image.new("RGB", (90, 300)).save(folder / "small.png")
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    (folder / "text.jpg").write_text("no picture")
    shelf = PhotoShelf(find_photos(folder), smallest=192)
    assert len(shelf) == 10
    assert len(shelf.skipped) == 3
    assert any("small.png is 90x300" in reason for reason in shelf.skipped)
    assert any("broken.png" in reason for reason in shelf.skipped)
    assert shelf[9].shape == (200, 220, 3)


def test_without_a_usable_photo_there_is_nothing_to_train_on(folder):
    with pytest.raises(TrainingDataError, match=r"none of 10 photo\(s\)"):
        PhotoShelf(find_photos(folder), smallest=256)
