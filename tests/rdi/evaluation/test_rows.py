"""The CSV file: whole rows, to go on with."""

import csv
import math

import pytest

from rdi.errors import InputError, OutputError
from rdi.evaluation.rows import NOT_MEASURED, Row, RowsFile, key_of


def row(key="k1", **changes):
    values = {
        "model": "a, b.onnx",
        "capture": "10034_00_0.1s.ARW",
        "exposure": "gt",
        "ratio": 100.0,
        "amplification": 100.0,
        "misaligned": True,
        "psnr": 28.123456789,
        "ssim": 0.5,
        "psnr_8bit": math.inf,
        "ssim_8bit": None,
        "niqe": 4.2,
        "ma": None,
        "network_ms": 12.5,
        "key": key,
    }
    return Row(**{**values, **changes})


def test_rows_come_back_as_they_were(tmp_path):
    rows = [row(), row("k2", ratio=None, misaligned=False)]
    file = RowsFile(tmp_path / "rows.csv")
    for one in rows:
        file.append(one)
    assert [*RowsFile(tmp_path / "rows.csv", resume=True).known.values()] == rows


def test_the_file_says_what_was_not_measured(tmp_path):
    RowsFile(tmp_path / "rows.csv").append(row())
    with (tmp_path / "rows.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["ma"], line["niqe"], line["model"]) == (NOT_MEASURED, "4.2", "a, b.onnx")


def test_each_row_is_on_the_disk_when_it_is_appended(tmp_path):
    file = RowsFile(tmp_path / "rows.csv")
    for count in range(3):
        assert len((tmp_path / "rows.csv").read_text().splitlines()) == count + 1
        file.append(row())


def test_a_line_that_broke_off_is_cut_away(tmp_path):
    path = tmp_path / "rows.csv"
    file = RowsFile(path)
    file.append(row())
    whole = path.read_bytes()
    path.write_bytes(whole + b"a.onnx,10045_00_0.1")
    resumed = RowsFile(path, resume=True)
    assert [*resumed.known] == ["k1"]
    resumed.append(row("k2"))
    assert [*RowsFile(path, resume=True).known] == ["k1", "k2"]


def test_a_file_that_exists_is_not_replaced_unasked(tmp_path):
    RowsFile(tmp_path / "rows.csv").append(row())
    with pytest.raises(OutputError, match="--resume"):
        RowsFile(tmp_path / "rows.csv")
    assert RowsFile(tmp_path / "rows.csv", overwrite=True).known == {}
    assert RowsFile(tmp_path / "rows.csv", resume=True).known == {}


@pytest.mark.parametrize("content", ["", "psnr,ssim\n1,2\n", "a picture\xff"])
def test_another_file_is_not_gone_on_with(tmp_path, content):
    (tmp_path / "other.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match="no CSV file of rdi eval"):
        RowsFile(tmp_path / "other.csv", resume=True)
    assert (tmp_path / "other.csv").read_bytes() == content.encode("latin-1")


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(OutputError, match="missing"):
        RowsFile(tmp_path / "missing" / "rows.csv")


def test_json_has_no_infinity():
    assert row().to_dict()["psnr_8bit"] is None


def test_keys_follow_content_and_not_order():
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 1, "b": 3})


def test_names_that_are_no_text_are_written_as_escapes(tmp_path):
    path = tmp_path / "rows.csv"
    RowsFile(path).append(row(capture="bad\udcff.png"))
    assert b"bad\\udcff.png" in path.read_bytes()
    assert [known.key for known in RowsFile(path, resume=True).known.values()] == ["k1"]
