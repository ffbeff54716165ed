"""Which photos are trained on, and which never."""

import numpy as np
import pytest
from PIL import Image

from rdi.errors import TrainingDataError
from rdi.pictures import load_picture
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


def test_photos_are_left_out_of_training_by_patterns_and_validation_stays(folder):
    (folder / "VALIDATION.txt").write_text("c.png\na.png\n")
    training, validation = split_photos(folder, ["[d-f].png", "j*", "of-another-folder-*"])
    assert names(validation) == ["c", "a"]
    assert names(training) == list("bghi")
    with pytest.raises(TrainingDataError, match=r"--leave-out \* leaves none of 8"):
        split_photos(folder, ["*"])


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
    (tmp_path / "empty" / "2026").mkdir()
    with pytest.raises(TrainingDataError, match="folders below it are not searched"):
        find_photos(tmp_path / "empty")
    (folder / "VALIDATION.txt").write_text("\n".join(f"{name}.png" for name in "abcdefghij"))
    with pytest.raises(TrainingDataError, match="all held out"):
        split_photos(folder)


def test_decoded_photos_stay_on_disk_and_those_beyond_the_budget_are_decoded_again(folder, caplog):
    paths = find_photos(folder)
    rich, poor = PhotoShelf(paths, smallest=192), PhotoShelf(paths, smallest=192, budget=3 * 200 * 220 * 3)
    assert len(poor) == 10
    for index in (0, 4, 9):
        assert np.array_equal(rich[index], load_picture(paths[index]))
        assert np.array_equal(rich[index], poor[index])
    paths[0].unlink()
    paths[9].unlink()
    assert np.array_equal(rich[0], poor[0])
    assert rich[9].shape == (200, 220, 3)
    assert np.array_equal(poor[9], poor[0])
    assert "missing" in caplog.text


def test_without_a_place_on_disk_photos_are_decoded_each_time(folder, tmp_path):
    shelf = PhotoShelf(find_photos(folder), smallest=192, folder=tmp_path / "nowhere", budget=2**30)
    assert shelf[3].shape == (200, 220, 3)
    assert any("have no room" in note for note in shelf.notes)


def test_photos_that_cannot_be_used_are_left_out_and_named(folder):
    Image.new("RGB", (90, 300)).save(folder / "small.png")
    (folder / "text.jpg").write_text("no picture")
    shelf = PhotoShelf(find_photos(folder), smallest=192)
    assert len(shelf) == 10
    assert len(shelf.skipped) == 2
    assert any("small.png is 90x300" in reason for reason in shelf.skipped)
    assert any("text.jpg" in reason for reason in shelf.skipped)
    assert "2 photo(s) left out" in shelf.notes[0]
    assert shelf[9].shape == (200, 220, 3)
    with pytest.raises(IndexError):
        shelf[10]


def test_photos_smaller_than_a_crop_are_used_and_said_so(folder):
    shelf = PhotoShelf(find_photos(folder), smallest=256)
    assert len(shelf) == 10
    assert any("10 photo(s) are smaller than a crop of 256" in note for note in shelf.notes)


def test_a_damaged_photo_is_replaced_by_the_next_one_and_named_once(folder, caplog):
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    shelf = PhotoShelf(find_photos(folder), smallest=192)
    assert len(shelf) == 10
    for _ in range(2):
        assert np.array_equal(shelf[2], shelf[3])
    (message,) = caplog.messages
    assert "c.png cannot be read" in message
    assert message.endswith("the next photo stands in for it")


def test_when_all_photos_are_gone_training_ends(folder):
    shelf = PhotoShelf(find_photos(folder), smallest=192)
    for path in shelf.paths:
        path.unlink()
    with pytest.raises(TrainingDataError, match="no photo can be decoded any more"):
        shelf[0]


def test_large_photos_are_halved_until_they_are_no_more_than_16_megapixels(folder):
    Image.new("RGB", (5000, 4000), (10, 200, 30)).save(folder / "large.jpg")
    Image.new("RGB", (4000, 4000), (10, 200, 30)).save(folder / "just.jpg")
    shelf = PhotoShelf([folder / "large.jpg", folder / "just.jpg"], smallest=512)
    assert shelf[0].shape == (2000, 2500, 3)
    assert shelf[1].shape == (4000, 4000, 3)
    assert shelf.notes == []
    many = PhotoShelf([folder / "just.jpg"] * 20, smallest=512)
    assert "decoded photos take up to 1.0 GB of disk" in many.notes[0]


def test_without_a_usable_photo_there_is_nothing_to_train_on(folder):
    with pytest.raises(TrainingDataError, match=r"none of 10 photo\(s\)"):
        PhotoShelf(find_photos(folder), smallest=512)
