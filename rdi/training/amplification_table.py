"""Tables of how much each dark photo is amplified: the published `train_amp_file` and `test_amp_file`."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rdi.amplifier import WeightedSums
from rdi.atomic import atomic_path


class Amplified(NamedTuple):
    """A dark photo, its exposure ratio (None where it is not known) and the sums of Eq. 5."""

    image: str
    ratio: float | None
    sums: WeightedSums


def write_amplifications(rows: Iterable[Amplified], m: float, path: Path) -> None:
    """Write a CSV: image, base (Eq. 5 with m = 1), gt (exposure ratio, at most 300), estimated (Eq. 5 with m).

    m enters before the clip to 1 to 300. An existing file is replaced; raises OutputError where it cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        table = csv.writer(file)
        table.writerow(("image", "base", "gt", "estimated"))
        for image, ratio, sums in rows:
            gt = "" if ratio is None else f"{ratio:.6g}"
            table.writerow((image, f"{sums.amplification(1.0):.6g}", gt, f"{sums.amplification(m):.6g}"))
