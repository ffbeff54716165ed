"""SID's lists: where they lie, what they name, and what is said of those that cannot be followed."""

import shutil

import pytest

from rdi.errors import TrainingDataError
from rdi.training.choices import Camera
from rdi.training.sid import read_sid

LINE = "./Sony/short/{name} ./Sony/long/00001_00_10s.ARW ISO200 F8\n"


def test_the_lists_name_pairs_places_and_ratios(sid_tree):
    data = read_sid(sid_tree)
    assert [pair.ratio for pair in data.splits["train"]] == pytest.approx([100, 250, 100, 250])
    assert data.splits["train"][1].dark == sid_tree / "Sony/short/00001_00_0.04s.ARW"
    assert data.splits["train"][1].place == f"{sid_tree / 'Sony_train_list.txt'}, line 2"
    assert {pair.bright.name for pair in data.splits["val"]} == {"20001_00_10s.ARW"}
    dark, bright = data.files()
    assert (len(dark), len(bright)) == (6, 3)
    assert data.name_of(bright[0]) == "Sony/long/00001_00_10s.ARW"


def test_the_fuji_part_has_lists_of_its_own(sid_tree):
    data = read_sid(sid_tree, Camera.FUJI, ["test"])
    assert [pair.dark.name for pair in data.splits["test"]] == ["10001_00_0.1s.RAF", "10001_00_0.04s.RAF"]
    assert "Fuji" in data.kind


def test_lists_may_lie_inside_of_the_folder_and_the_folder_itself_may_be_given(sid_copy):
    outside = read_sid(sid_copy).splits["train"]
    for file in sid_copy.glob("*.txt"):
        shutil.move(file, sid_copy / "Sony")
    inside = read_sid(sid_copy).splits["train"]
    assert [pair.dark for pair in inside] == [pair.dark for pair in outside]
    itself = read_sid(sid_copy / "Sony").splits["train"]
    assert [pair.dark for pair in itself] == [pair.dark for pair in outside]


def test_the_ratio_is_capped_at_300(sid_copy):
    shutil.copy(sid_copy / "Sony/short/00001_00_0.1s.ARW", sid_copy / "Sony/short/00001_00_0.01s.ARW")
    (sid_copy / "Sony_train_list.txt").write_text(LINE.format(name="00001_00_0.01s.ARW"))
    assert read_sid(sid_copy).splits["train"][0].ratio == 300


def test_windows_line_ends_and_empty_lines_do_not_matter(sid_copy):
    line = LINE.format(name="00001_00_0.1s.ARW").strip()
    (sid_copy / "Sony_train_list.txt").write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n\r\n{line}\r\n".encode())
    places = [pair.place.rpartition(", ")[2] for pair in read_sid(sid_copy).splits["train"]]
    assert places == ["line 1", "line 3"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            "\nnothing here\n",
            "train_list.txt, line 2: 'nothing here' does not name two files with exposure times; lines read",
        ),
        ("./Sony/short/00001_00_20s.ARW ./Sony/long/00001_00_10s.ARW", "line 1: the exposures 20 s and 10 s"),
        ("./Sony/short/00001_00_0s.ARW ./Sony/long/00001_00_10s.ARW", "line 1: the exposures 0 s and 10 s"),
        ("", "names no pair"),
        (LINE.format(name="99999_00_0.1s.ARW"), r"line 1: .*99999_00_0.1s.ARW does not exist.*--skip-missing"),
    ],
)
def test_lists_that_cannot_be_followed_are_refused(sid_copy, content, reason):
    (sid_copy / "Sony_train_list.txt").write_text(content)
    with pytest.raises(TrainingDataError, match=reason):
        read_sid(sid_copy)


def test_a_list_or_a_part_that_is_missing_is_named(sid_copy, tmp_path):
    (sid_copy / "Sony_val_list.txt").unlink()
    with pytest.raises(TrainingDataError, match=r"Sony_val_list\.txt is missing: it lies neither in"):
        read_sid(sid_copy)
    with pytest.raises(TrainingDataError, match=r"holds no Fuji/"):
        read_sid(sid_copy, Camera.FUJI)
    with pytest.raises(TrainingDataError, match=r"holds no Sony/.*--camera fuji"):
        read_sid(tmp_path)


@pytest.mark.parametrize("file", ["short/00002_00_0.1s.ARW", "long/00002_00_10s.ARW"])
def test_a_file_that_is_cut_off_is_named_with_its_line_or_left_out(sid_copy, file):
    path = sid_copy / "Sony" / file
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(TrainingDataError, match=rf"train_list.txt, line 3: .*{path.name} is cut off"):
        read_sid(sid_copy)
    data = read_sid(sid_copy, skip_missing=True)
    left = 4 - len(data.skipped)
    assert len(data.splits["train"]) == left == (3 if "short" in file else 2)
    assert all(path.name in line and "is cut off" in line for line in data.skipped)


def test_going_on_without_anything_is_refused(sid_copy):
    shutil.rmtree(sid_copy / "Sony/short")
    (sid_copy / "Sony/short").mkdir()
    with pytest.raises(TrainingDataError, match="none of the 4 pairs of train can be used"):
        read_sid(sid_copy, skip_missing=True)
