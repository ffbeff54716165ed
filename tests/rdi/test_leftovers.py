"""What killed writers leave is removed by the next ones, and nothing of living ones is."""

import errno
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rdi.atomic import append_whole, atomic_path, atomic_paths
from rdi.errors import OutputError
from rdi.leftovers import NOTE, remove_leftovers
from rdi.locks import in_turn, writer_lock

# Says so when it is within the block, and stays there until it is told to go on, or killed.
WRITER = """
import sys
from pathlib import Path
from rdi.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print(temporary, flush=True)
    sys.stdin.readline()
    temporary.write_bytes(b"whole")
"""


@contextmanager
def writing(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has written half of a file; killed at the end if it lives."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert Path(writer.stdout.readline().strip()).read_bytes() == b"half"
        try:
            yield writer
        finally:
            writer.kill()


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*"))


def test_the_next_writer_of_a_file_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with writing(path) as writer:
        assert len(hidden(tmp_path)) == 2  # the file, and the note that tells of it
        writer.kill()
        writer.wait()
        assert (path.read_bytes(), len(hidden(tmp_path))) == (b"old", 2)
        with atomic_path(path) as temporary:
            assert len(hidden(tmp_path)) == 2
            temporary.write_bytes(b"new")
    assert (path.read_bytes(), hidden(tmp_path)) == (b"new", [])


def test_a_living_writers_file_is_never_taken_for_a_dead_ones(tmp_path: Path) -> None:
    """Nor is one waited for: the second of two is done first, and the first one's file stands at the end."""
    path = tmp_path / "a.png"
    with writing(path) as writer:
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"the other's")
        remove_leftovers(tmp_path)
        assert path.read_bytes() == b"the other's"
        writer.communicate("go on\n")
        assert (writer.returncode, path.read_bytes(), hidden(tmp_path)) == (0, b"whole", [])


def test_a_folder_is_cleared_of_what_killed_writers_left_and_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".hidden.jpg").write_bytes(b"the user's")
    (tmp_path / ".b.png.writing").write_text("../.hidden.jpg")  # nobody's temporary file
    with writing(tmp_path / "a.png") as writer:
        writer.kill()
        writer.wait()
    remove_leftovers(tmp_path)
    assert hidden(tmp_path) == [".hidden.jpg"]
    remove_leftovers(tmp_path / "missing")


def test_the_name_of_a_file_may_have_any_length_that_the_system_takes(tmp_path: Path) -> None:
    for name in ("x" * 251 + ".png", "\N{CAMERA}" * 62 + ".png", "a.b.c", ".hidden", "\udcff.png"):
        with atomic_path(tmp_path / name) as temporary:
            assert temporary.name.endswith((tmp_path / name).suffix)
            temporary.write_bytes(b"new")
        assert (tmp_path / name).read_bytes() == b"new"


def test_where_nothing_can_be_locked_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network drives; a run of training, which must not have two writers, is refused there."""

    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    files = (tmp_path / "a.png", tmp_path / "b.png")
    with atomic_paths(*files) as temporaries:
        assert hidden(tmp_path) == sorted(temporary.name for temporary in temporaries)
        for temporary in temporaries:
            temporary.write_bytes(b"new")
    assert sorted(tmp_path.iterdir()) == [*files]
    with pytest.raises(OutputError, match=r"cannot write .*\.lock: No locks available"), writer_lock(tmp_path, "busy"):
        pass


def test_of_two_that_write_the_same_files_one_is_done_before_the_other(tmp_path: Path) -> None:
    """Otherwise the model of one could stand beside the strips of the other."""
    files = (tmp_path / "a.onnx", tmp_path / "a.zip")

    def write(content: bytes) -> None:
        with atomic_paths(*files) as temporaries:
            for temporary in temporaries:
                temporary.write_bytes(content)

    other = threading.Thread(target=write, args=(b"other",), daemon=True)
    with in_turn(tmp_path):  # the folder is held, as by one that is between its two renames
        other.start()
        other.join(0.5)
        assert other.is_alive()
        assert not any(file.exists() for file in files)
    other.join(60)
    assert [file.read_bytes() for file in files] == [b"other"] * 2


def test_a_row_is_added_whole_or_not_at_all(tmp_path: Path) -> None:
    """The system takes as much as there is room for, and complains at the next byte only."""
    import resource

    path = tmp_path / "rows.csv"
    path.write_bytes(b"one\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            append_whole(path, b"two\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == b"one\n"
    append_whole(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_link_in_place_of_a_note_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / f".a.png{NOTE}").symlink_to(tmp_path / "mine.txt")
    with atomic_path(tmp_path / "a.png") as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_a_folder_that_is_none_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refusal = r"cannot write .*a.png: Not a directory; give another path"
    with pytest.raises(OutputError, match=refusal), atomic_path(tmp_path / "file" / "a.png"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
