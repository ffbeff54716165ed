"""Files that appear whole or not at all."""

import os
import stat

import pytest

from rdi.atomic import atomic_path, atomic_paths
from rdi.errors import OutputError


def test_a_file_appears_when_the_block_ends_well(tmp_path):
    with atomic_path(tmp_path / "a.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"picture")
        assert not (tmp_path / "a.png").exists()
    assert (tmp_path / "a.png").read_bytes() == b"picture"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_a_file_is_as_readable_as_any_other_new_one(tmp_path, umask):
    before = os.umask(umask)
    try:
        with atomic_path(tmp_path / "a.png") as temporary:
            temporary.write_bytes(b"picture")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o666 & ~umask


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a.png") as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_places_that_cannot_be_written_are_named(tmp_path):
    with pytest.raises(OutputError, match="nowhere"), atomic_path(tmp_path / "nowhere" / "a.png"):
        pass
    with pytest.raises(OutputError, match="is a folder"), atomic_path(tmp_path):
        pass


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="No space left"), atomic_path(tmp_path / "a.png") as temporary:
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_files_that_belong_together_are_all_written_before_one_is_renamed(tmp_path):
    model, strips = tmp_path / "a.onnx", tmp_path / "a.zip"
    with atomic_paths(model, strips) as temporaries:
        for temporary, content in zip(temporaries, (b"model", b"strips"), strict=True):
            temporary.write_bytes(content)
        assert not model.exists()
        assert not strips.exists()
    assert (model.read_bytes(), strips.read_bytes()) == (b"model", b"strips")
    with pytest.raises(ZeroDivisionError), atomic_paths(model, strips) as temporaries:
        temporaries[0].write_bytes(b"new")
        raise ZeroDivisionError
    assert (model.read_bytes(), strips.read_bytes()) == (b"model", b"strips")
    with pytest.raises(OutputError, match="is a folder"), atomic_paths(tmp_path / "b.onnx", tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "a.zip"]


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def links(request, monkeypatch):
    """Also as on a disk that knows no links, such as FAT."""

    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    if not request.param:
        monkeypatch.setattr(os, "link", refuse)


def test_what_must_not_be_replaced_stays_even_if_it_came_meanwhile(tmp_path, links):
    path = tmp_path / "a.png"
    with atomic_path(path, replace=False) as temporary:
        temporary.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"
    path.unlink()
    taken = pytest.raises(OutputError, match=r"a\.png was written by another program")
    with taken, atomic_path(path, replace=False) as temporary:
        temporary.write_bytes(b"mine")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_of_files_that_belong_together_only_the_missing_ones_are_written(tmp_path, links):
    paths = [tmp_path / name for name in ("picture", "sidecar", "comparison")]
    paths[2].symlink_to(tmp_path / "nothing")  # names no file: nothing is lost with it
    kept = [tmp_path / "earlier"]
    with atomic_paths(*paths, kept=kept) as temporaries:
        for temporary in temporaries:
            temporary.write_bytes(b"mine")
        paths[0].write_bytes(b"theirs")
    assert kept == [tmp_path / "earlier", paths[0]]
    assert [path.read_bytes() for path in paths] == [b"theirs", b"mine", b"mine"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    with atomic_paths(kept=kept) as temporaries:
        assert temporaries == ()


def test_the_file_that_names_the_others_is_renamed_last(tmp_path):
    """Here the last one cannot be: the first stays as it was."""
    model, strips = tmp_path / "a.onnx", tmp_path / "a.zip"
    model.write_bytes(b"old")
    with pytest.raises(OutputError, match="cannot write"), atomic_paths(model, strips):
        (strips / "inside").mkdir(parents=True)
    assert model.read_bytes() == b"old"
