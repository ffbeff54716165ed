from pathlib import Path

import pytest

from rdi.errors import InputError, OutputError, UsageError
from rdi.runtime.pictures import Format, PictureSettings
from rdi.runtime.targets import Extras, Found, Job, find_photos, is_file
from rdi.runtime.targets import plan as plan_found

JPEG = PictureSettings()


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()


def plan(photos: list[Path], out: Path | None, settings: PictureSettings, extras: Extras | None = None) -> list[Job]:
    """As for photos that were named one by one."""
    return plan_found([Found(path) for path in photos], out, settings, extras)


def test_a_folder_means_its_raw_files_in_order(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b.ARW", "a.nef", "a.jpg", "notes.txt", "c.DNG")))
    (tmp_path / "folder.arw").mkdir()
    assert [photo.path.name for photo in find_photos([tmp_path])] == ["a.nef", "b.ARW", "c.DNG"]


def test_a_photo_named_twice_is_restored_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW")
    assert find_photos([tmp_path / "a.ARW", tmp_path]) == [Found(tmp_path / "a.ARW")]


def test_a_folder_without_raw_files_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="holds no camera raw file"):
        find_photos([tmp_path])


def test_the_default_is_beside_the_photo_under_a_name_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW")
    assert plan([tmp_path / "a.ARW"], None, JPEG) == [Job(tmp_path / "a.ARW", tmp_path / "a_restored.jpg")]
    png = plan([tmp_path / "a.ARW"], None, PictureSettings(Format.PNG, 16))
    assert png[0].target == tmp_path / "a_restored.png"


def test_a_folder_as_output_collects_the_pictures(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    photos = [tmp_path / "a.ARW", tmp_path / "b.ARW"]
    targets = [job.target for job in plan(photos, tmp_path / "out", JPEG)]
    assert targets == [tmp_path / "out" / "a_restored.jpg", tmp_path / "out" / "b_restored.jpg"]


def test_a_name_with_a_pictures_suffix_is_a_file_and_any_other_a_folder(tmp_path: Path) -> None:
    (tmp_path / "dir.jpg").mkdir()
    touch(tmp_path / "file")
    assert is_file(tmp_path / "new.JPG")
    assert is_file(tmp_path / "file")
    assert not is_file(tmp_path / "new")
    assert not is_file(tmp_path / "dir.jpg")


def test_several_photos_do_not_fit_one_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 photos cannot all become"):
        plan([tmp_path / "a.ARW", tmp_path / "b.ARW"], tmp_path / "out.jpg", JPEG)


def test_two_photos_never_share_an_output(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would both become"):
        plan([tmp_path / "x" / "a.ARW", tmp_path / "y" / "a.ARW"], tmp_path, JPEG)
    with pytest.raises(UsageError, match="would both become"):
        plan([tmp_path / name for name in ("a.ARW", "a.dng", "a.ARW.dng")], tmp_path, JPEG)


def test_photos_that_differ_by_suffix_alone_keep_it(tmp_path: Path) -> None:
    touch(*(photos := [tmp_path / name for name in ("a.ARW", "a.dng", "b.ARW")]))
    names = [job.target.name for job in plan(photos, None, JPEG)]
    assert names == ["a.ARW_restored.jpg", "a.dng_restored.jpg", "b_restored.jpg"]


def test_a_photo_is_never_an_output(tmp_path: Path) -> None:
    touch(tmp_path / "a.tif")
    with pytest.raises(OutputError, match="is a photo to be restored"):
        plan([tmp_path / "a.tif"], tmp_path / "folder" / ".." / "a.tif", JPEG)


def test_a_folder_is_made_later_if_the_one_it_lies_in_is_there(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW")
    (job,) = plan([tmp_path / "a.ARW"], tmp_path / "new", JPEG)
    assert job.target == tmp_path / "new" / "a_restored.jpg"
    assert not (tmp_path / "new").exists()
    for out in (tmp_path / "none" / "new", tmp_path / "none" / "a.jpg"):  # a disk that is not plugged in, a slip
        with pytest.raises(OutputError, match="none does not exist"):
            plan([tmp_path / "a.ARW"], out, JPEG)


@pytest.mark.parametrize("name", ["a.webp", "a.HEIC", "a.dng", "a.jxl"])
def test_a_new_name_that_other_files_bear_is_no_folder(tmp_path: Path, name: str) -> None:
    assert is_file(tmp_path / name)
    (tmp_path / name).mkdir()
    assert not is_file(tmp_path / name)
    assert not is_file(tmp_path / "2026.11.22")


def test_folders_below_are_searched_if_asked_and_kept_below_the_output(tmp_path: Path) -> None:
    night = tmp_path / "night"
    touch(night / "b.ARW")
    for name in ("2/x.dng", "10/a.NEF", "10/deeper/a.NEF", "10/note.txt", ".trash/old.ARW", "10/._a.NEF"):
        (night / name).parent.mkdir(parents=True, exist_ok=True)
        (night / name).touch()
    assert [photo.path for photo in find_photos([night])] == [night / "b.ARW"]
    found = find_photos([night], recursive=True)
    assert [(photo.path.relative_to(night).as_posix(), photo.folder.as_posix()) for photo in found] == [
        ("b.ARW", "."),
        ("10/a.NEF", "10"),
        ("10/deeper/a.NEF", "10/deeper"),
        ("2/x.dng", "2"),
    ]
    targets = [job.target.relative_to(tmp_path).as_posix() for job in plan_found(found, tmp_path / "out", JPEG)]
    assert targets == [
        "out/b_restored.jpg",
        "out/10/a_restored.jpg",
        "out/10/deeper/a_restored.jpg",
        "out/2/x_restored.jpg",
    ]
    beside = plan_found(found, None, JPEG)
    assert beside[2].target == night / "10" / "deeper" / "a_restored.jpg"


def test_a_folder_whose_photos_lie_deeper_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    with pytest.raises(InputError, match="--recursive looks into the folders below it"):
        find_photos([tmp_path])
    with pytest.raises(InputError, match="nor do the folders below it"):
        find_photos([tmp_path], recursive=True)


def test_a_link_to_a_folder_above_does_not_lead_in_circles(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(find_photos([tmp_path], recursive=True)) == 1


def test_names_that_differ_by_case_alone_keep_their_suffix(tmp_path: Path) -> None:
    touch(*(photos := [tmp_path / "a.ARW", tmp_path / "A.dng"]))
    assert [job.target.name for job in plan(photos, None, JPEG)] == ["a.ARW_restored.jpg", "A.dng_restored.jpg"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW", tmp_path / "file")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        plan([tmp_path / "a.ARW"], tmp_path / "file" / "a.jpg", JPEG)


def test_a_folder_that_takes_no_files_is_refused(tmp_path: Path) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs a folder that nobody, root included, can write into")
    touch(tmp_path / "a.ARW")
    with pytest.raises(OutputError, match="cannot write into /proc"):
        plan([tmp_path / "a.ARW"], Path("/proc/a.jpg"), JPEG)


def test_planning_leaves_nothing_behind(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW")
    plan([tmp_path / "a.ARW"], None, JPEG)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ARW"]


def test_a_bracket_a_sidecar_and_a_comparison_have_names_of_their_own(tmp_path: Path) -> None:
    touch(tmp_path / "a.ARW")
    darker, brighter = plan([tmp_path / "a.ARW"], None, JPEG, Extras((-1.0, 0.5), sidecar=True, compared=True))
    assert (darker.ev, brighter.ev) == (-1.0, 0.5)
    assert [path.name for path in (*darker.outputs, *brighter.outputs)] == [
        "a_restored_-1EV.jpg",
        "a_restored_-1EV.jpg.json",
        "a_compared_-1EV.jpg",
        "a_restored_+0.5EV.jpg",
        "a_restored_+0.5EV.jpg.json",
        "a_compared_+0.5EV.jpg",
    ]


def test_what_goes_beside_a_named_file_is_named_after_it(tmp_path: Path) -> None:
    (job,) = plan([tmp_path / "a.ARW"], tmp_path / "b.png", JPEG, Extras(sidecar=True, compared=True))
    assert [path.name for path in job.outputs] == ["b.png", "b.png.json", "b_compared.jpg"]


def test_an_output_beside_the_picture_is_not_shared_either(tmp_path: Path) -> None:
    photos = [tmp_path / "x" / "a.ARW", tmp_path / "y" / "a.ARW"]
    with pytest.raises(UsageError, match="would both become"):
        plan(photos, tmp_path, JPEG, Extras((-1.0, 1.0), compared=True))
    touch(tmp_path / "b_compared.jpg")
    with pytest.raises(OutputError, match="is a photo to be restored"):
        plan([tmp_path / "b.ARW", tmp_path / "b_compared.jpg"], None, JPEG, Extras(compared=True))


def test_outputs_that_exist_are_told_apart(tmp_path: Path) -> None:
    (job,) = plan([tmp_path / "a.ARW"], tmp_path, JPEG, Extras(sidecar=True, compared=True))
    assert not job.existing
    touch(tmp_path / "a_compared.jpg")
    assert job.existing == (tmp_path / "a_compared.jpg",)
