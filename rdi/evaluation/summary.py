"""Means over captures: by ratio, over all of them, and without SID's misaligned scenes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rdi.evaluation.rows import Row

FIGURES = ("psnr", "ssim", "psnr_8bit", "ssim_8bit", "niqe", "ma")
ALL, ALIGNED = "all", "all but the misaligned"


@dataclass(frozen=True)
class Mean:
    """The mean of each figure over the captures of a group that have it; None where none has.

    group:    `ratio 100`, `all` or `all but the misaligned`
    ratio:    of the group; None where it has several
    captures: how many there are in it
    """

    model: str
    exposure: str
    group: str
    ratio: float | None
    captures: int
    psnr: float | None
    ssim: float | None
    psnr_8bit: float | None
    ssim_8bit: float | None
    niqe: float | None
    ma: float | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what is infinite is null."""
        return {name: None if value == float("inf") else value for name, value in asdict(self).items()}


def summarise(rows: Sequence[Row], *, overall: bool = False) -> list[Mean]:
    """Means by group, exposure and model; those in the order in which they came.

    overall: also over all ratios together, as the paper's table 1 has it; with misaligned scenes, without them too
    """
    groups: list[tuple[str, float | None, list[Row]]] = []
    if overall:
        groups.append((ALL, None, [*rows]))
        aligned = [row for row in rows if not row.misaligned]
        if len(aligned) < len(rows):
            groups.append((ALIGNED, None, aligned))
    ratios = sorted({row.ratio for row in rows if row.ratio is not None})
    if not overall or len(ratios) > 1:
        groups += [(f"ratio {ratio:g}", ratio, [row for row in rows if row.ratio == ratio]) for ratio in ratios]
    return [_mean(members, name, ratio) for name, ratio, group in groups for members in _by_exposure_and_model(group)]


def _by_exposure_and_model(rows: Iterable[Row]) -> list[list[Row]]:
    found: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        found.setdefault(row.exposure, {}).setdefault(row.model, []).append(row)
    return [members for models in found.values() for members in models.values()]


def _mean(rows: list[Row], group: str, ratio: float | None) -> Mean:
    means = {name: _mean_of([getattr(row, name) for row in rows]) for name in FIGURES}
    return Mean(rows[0].model, rows[0].exposure, group, ratio, len(rows), **means)


def _mean_of(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
