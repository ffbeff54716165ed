"""Tables that grow with a run (CSV): every row once, however often the run was killed and resumed."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rdi.errors import OutputError

LOSS_COLUMNS = ("step", "images", "loss", "gradient_norm", "learning_rate")
AVERAGE_COLUMNS = ("step", "images", "loss", "running_loss", "psnr", "ssim", "frames")


class Table:
    """A CSV file whose first column is the step, in rising order.

    Opened at step n, it loses the rows after n and a half-written last line: those steps are done again.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        """Raises OutputError for a file that cannot be written or has other columns."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if step and path.exists():
                _cut(path, columns, step)
            else:
                path.write_text(",".join(columns) + "\n", encoding="utf-8")
            self._file: IO[str] = path.open("a", newline="", encoding="utf-8", buffering=1)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}; give another path") from error
        self._writer = csv.writer(self._file, lineterminator="\n")

    def add(self, *row: float) -> None:
        """One more row; numbers are written so that they read back as they are. OutputError where the disk is full."""
        with self._refused():
            self._writer.writerow(row)

    def flush(self) -> None:
        """Have all rows on the disk: done before a checkpoint that counts on them."""
        with self._refused():
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Nothing more comes."""
        with self._refused():
            self._file.close()

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """What the system refuses names the file; the row that broke off is cut away when the run goes on."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror or error}; make room and go on with --resume"
            ) from error


def _cut(path: Path, columns: Sequence[str], step: int) -> None:
    """Keep the header and the whole rows up to a step."""
    header = (",".join(columns) + "\n").encode()
    with path.open("rb+") as file:
        if file.readline() != header:
            raise OutputError(f"{path} is no table of this run: its columns differ; give another path")
        end = len(header)
        for line in file:
            number = line.split(b",", 1)[0]
            if not line.endswith(b"\n") or not number.isdigit() or int(number) > step:
                break
            end += len(line)
        file.truncate(end)
