"""Tables of a run: every row once."""

import pytest

from rdi.errors import OutputError
from rdi.training.recorder import Averages
from rdi.training.records import Table

COLUMNS = ("step", "loss")


def write(path, steps, start=0):
    table = Table(path, COLUMNS, start)
    for step in steps:
        table.add(step, step / 3)
    table.flush()
    table.close()
    return path.read_text()


def test_rows_after_the_checkpoint_are_written_again_and_stand_once(tmp_path):
    whole = write(tmp_path / "whole.csv", range(1, 8))
    write(tmp_path / "two.csv", range(1, 6))
    assert write(tmp_path / "two.csv", range(4, 8), start=3) == whole


def test_a_half_written_line_goes(tmp_path):
    path = tmp_path / "losses.csv"
    write(path, [1, 2])
    with path.open("a") as file:
        file.write("3,0.9")
    assert write(path, [3], start=3).splitlines()[1:] == [f"{step},{step / 3}" for step in (1, 2, 3)]


def test_a_new_run_begins_anew(tmp_path):
    write(tmp_path / "losses.csv", [1, 2])
    assert write(tmp_path / "losses.csv", [1]).splitlines() == ["step,loss", f"1,{1 / 3}"]


def test_another_table_is_not_cut(tmp_path):
    (tmp_path / "notes.csv").write_text("my notes\n1,2\n")
    with pytest.raises(OutputError, match="columns differ"):
        Table(tmp_path / "notes.csv", COLUMNS, 1)
    assert (tmp_path / "notes.csv").read_text() == "my notes\n1,2\n"


def test_a_table_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        Table(tmp_path, COLUMNS, 0)


def test_averages_forget_slowly_and_mean_since_the_last_validation():
    averages = Averages()
    assert averages.add(1.0) == 1.0
    assert averages.add(2.0) == pytest.approx(1.02)
    assert averages.take_mean() == 1.5
    averages.add(4.0)
    assert averages.take_mean() == 4.0
