"""One line of results: a capture restored by a model; and the CSV file that keeps them as they come."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from rdi.atomic import append_whole, atomic_path, cannot_write
from rdi.errors import InputError, OutputError
from rdi.locks import in_turn
from rdi.printable import one_line

NOT_MEASURED = "not measured"

_FORMULA = ("=", "+", "-", "@")  # what a formula begins with
_TEXT = "'"  # before a cell that is none


@dataclass(frozen=True)
class Row:
    """A capture restored by a model, and how good the picture is; None: not known or not measured.

    model, capture:       names
    exposure:             where the amplification comes from: gt, paper or auto
    ratio:                the true exposure ratio
    amplification:        what was used
    misaligned:           whether the target is known to lie elsewhere (three scenes of SID)
    psnr ... ma:          `rdi.evaluation.measures.Figures`
    network_ms:           milliseconds of the restoration, the first of a size with the session it needs
    key:                  16 hex digits: all that decides the figures; the same key, the same figures
    """

    model: str
    capture: str
    exposure: str
    ratio: float | None
    amplification: float
    misaligned: bool
    psnr: float
    ssim: float | None
    psnr_8bit: float
    ssim_8bit: float | None
    niqe: float | None
    ma: float | None
    network_ms: float
    key: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON, which has no infinity: the PSNR of a perfect restoration is null."""
        return {name: None if value == float("inf") else value for name, value in asdict(self).items()}


def key_of(*parts: Mapping[str, Any] | str) -> str:
    """A short digest of all that decides a row."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class RowsFile:
    """A CSV file to which each row is added when it is done: what breaks off keeps what it has.

    known: the rows that were there, by their key; of other settings too
    """

    def __init__(self, path: Path, *, resume: bool = False, overwrite: bool = False) -> None:
        """Begin the file, or go on with it.

        Raises OutputError for one that exists (unless `resume` or `overwrite`) or cannot be written, InputError for one
        to go on with that is no such file.
        """
        self.path = path
        self.known: dict[str, Row] = {}
        with in_turn(path.parent):  # what another process is adding is no line that broke off, and its file stays
            if resume and path.exists():
                self.known = _read(path)
            elif path.exists() and not overwrite:
                raise OutputError(f"{path} exists; go on with it with --resume, or replace it with --overwrite")
            else:
                with atomic_path(path) as temporary:
                    temporary.write_text(_line(_NAMES), encoding="utf-8")

    def append(self, row: Row) -> None:
        """Add a row, in one piece; OutputError where the disk is full or the file cannot be written."""
        # A file name need not be text: what UTF-8 cannot say is written as an escape.
        line = _line([_to_cell(getattr(row, name)) for name in _NAMES]).encode(errors="backslashreplace")
        try:
            with in_turn(self.path.parent):  # two runs that go on with one file
                append_whole(self.path, line)
        except OSError as error:
            raise cannot_write(self.path, error) from error


_NAMES = [field.name for field in fields(Row)]
_TYPES = get_type_hints(Row)


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _to_cell(value: Any) -> str:
    """A spreadsheet must not take a file's name for a formula, nor a terminal for commands."""
    if isinstance(value, str):
        return _TEXT * value.startswith((*_FORMULA, _TEXT)) + one_line(value)
    return NOT_MEASURED if value is None else str(value)


def _read(path: Path) -> dict[str, Row]:
    """The rows of a file; a last line that broke off is cut away."""
    try:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        names, *lines = csv.reader(io.StringIO(whole.decode()))
        if names != _NAMES:
            raise ValueError("it has other columns")
        rows = [
            Row(**{name: _from_cell(text, _TYPES[name]) for name, text in zip(names, line, strict=True)})
            for line in lines
        ]
        if len(whole) < len(content):
            os.truncate(path, len(whole))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} is no CSV file of rdi eval to go on with ({error}); give another, or replace it with --overwrite"
        ) from error
    return {row.key: row for row in rows}


def _from_cell(text: str, kind: Any) -> Any:
    if isinstance(kind, UnionType):
        return None if text == NOT_MEASURED else _from_cell(text, get_args(kind)[0])
    if kind is str:
        return text.removeprefix(_TEXT)
    return text == "True" if kind is bool else kind(text)
