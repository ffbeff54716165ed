"""The page of `rdi eval --report`: means and how they go with the ratio, the worst and best pictures, every capture."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdi.evaluation.captures import Scene, Source
from rdi.evaluation.models import Exposing, Model
from rdi.evaluation.result import Evaluation
from rdi.evaluation.rows import NOT_MEASURED, Row
from rdi.evaluation.summary import Mean
from rdi.evaluation.unrestored import unrestored
from rdi.page import Bars, Column, Html, Layer, Page, Plot, Section, Series, Table, bars, paragraph, plot, table, viewer
from rdi.page.axes import Axis, linear_axis
from rdi.page.budget import PAGE, pictures_each
from rdi.page.document import write_page
from rdi.page.markdown import from_markdown
from rdi.page.markup import element, join
from rdi.page.pictures import encode_within
from rdi.page.tables import folded

SHOWN = 3  # worst and as many best captures
LISTED = 4000  # rows of the table of all; beyond it the CSV file has them
# What is plotted: name, unit, attribute of a mean, whether the axis begins at zero.
_PLOTTED = (
    ("PSNR", "dB, more is better", "psnr", False),
    ("SSIM", "more is better", "ssim", False),
    ("NIQE", "less is better", "niqe", True),
    ("Ma", "more is better", "ma", False),
)


class _Choice(NamedTuple):
    row: Row
    why: str


def write_evaluation_page(path: Path, result: Evaluation, source: Source, models: Sequence[Model]) -> None:
    """Write an evaluation as a page; its worst and best captures are restored once more, to be shown.

    source, models: that were measured
    Raises OutputError where the path cannot be written, and what decoding and restoring raise.
    """
    means = from_markdown(result.markdown(), "Means over captures")
    plots, listed = _plots(result.means), _listed(result.rows)
    room = PAGE - sum(len(part.encode()) for part in (means, plots, listed))
    sections = [
        Section("Means", means),
        Section("By exposure ratio", plots),
        *_shown(result.rows, source, models, room),
        Section("Every capture", listed),
    ]
    names = ", ".join(dict.fromkeys(row.model for row in result.rows))
    summary = f"{names}: {len({(row.capture, row.ratio) for row in result.rows})} captures, {result.data['data']}"
    write_page(Page("How close to the truth", summary, sections), path)


def _plots(means: Sequence[Mean]) -> Html:
    """A plot of each figure: over the ratio where there are several, else a bar for each model."""
    drawn = [
        _plot([mean for mean in means if getattr(mean, attribute) is not None], name, unit, attribute, from_zero)
        for name, unit, attribute, from_zero in _PLOTTED
    ]
    return element("div", *drawn, class_="charts")


def _plot(means: Sequence[Mean], name: str, unit: str, attribute: str, from_zero: bool) -> Html | None:
    if not means:
        return None
    lines: dict[str, dict[str, float]] = {}
    for mean in means:
        lines.setdefault(f"{mean.model}, {mean.exposure}", {})[mean.group] = float(getattr(mean, attribute))
    groups = list(dict.fromkeys(mean.group for mean in means))
    values = [value for line in lines.values() for value in line.values()]
    y = linear_axis(unit, values, from_zero=from_zero)
    columns = [Column("Captures", figures=False), *map(Column, lines)]
    rows = [(group, *(_figure(line.get(group)) for line in lines.values())) for group in groups]
    figures, title = Table(f"{name}, means", columns, rows), f"{name}, mean over captures"
    ratios = {mean.group: mean.ratio for mean in means if mean.ratio is not None}
    if len(ratios) > 1:
        known = sorted(set(ratios.values()))
        ticks = tuple((ratio, f"{ratio:g}") for ratio in known)
        x = Axis("True exposure ratio", known[0] / 1.2, known[-1] * 1.2, ticks, log=True)
        series = [
            Series(label, sorted((ratios[group], value) for group, value in line.items() if group in ratios))
            for label, line in lines.items()
        ]
        return plot(Plot(title, "", x, y, series, figures), f"m-{attribute}")
    bar_series = [
        (label, place, [line.get(group) for group in groups]) for place, (label, line) in enumerate(lines.items())
    ]
    y = linear_axis(unit, values)  # bars begin at zero
    return bars(Bars(title, "", "", groups, y, bar_series, figures), f"m-{attribute}")


def _shown(rows: Sequence[Row], source: Source, models: Sequence[Model], room: int) -> list[Section]:
    """The worst and the best captures of the first model, each beside its target and the other models' pictures.

    room: bytes of the page that the rest of it leaves
    """
    chosen = _choose(rows)
    budget = pictures_each(len(chosen), room)
    return [
        Section(f"{choice.why}: {choice.row.capture}", _picture(choice.row, source, models, f"v{place}", budget))
        for place, choice in enumerate(chosen)
    ]


def _choose(rows: Sequence[Row]) -> list[_Choice]:
    """By the PSNR of the first model at the first exposure; a perfect picture is the best."""
    if not rows:
        return []
    of_first = [row for row in rows if (row.model, row.exposure) == (rows[0].model, rows[0].exposure)]
    ranked = sorted(of_first, key=lambda row: row.psnr)
    worst = ranked[: min(SHOWN, (len(ranked) + 1) // 2)]
    best = [row for row in reversed(ranked) if row not in worst][:SHOWN]
    named = [
        *zip(worst, _places("Worst", len(worst)), strict=True),
        *zip(best, _places("Best", len(best)), strict=True),
    ]
    return [_Choice(row, why) for row, why in named]


def _places(word: str, count: int) -> list[str]:
    ordinals = ("", "Second ", "Third ")
    return [f"{ordinal}{word.lower()}" if ordinal else word for ordinal in ordinals[:count]]


def _picture(row: Row, source: Source, models: Sequence[Model], key: str, budget: int) -> Html:
    """Restored once more, since no picture is kept while an evaluation runs; `budget`: bytes of its JPEGs."""
    scene = source.open(next(i for i, listed in enumerate(source.listed) if _is(row, listed.name, listed.ratio)))
    layers = [("Target", "what it should be", _eight_bits(scene.target))]
    dark = unrestored(scene.photo, row.amplification)
    if dark is not None:
        layers.append(("Amplified", f"the capture without a network, amplified {row.amplification:.4g} times", dark))
    exposing = Exposing(row.exposure)
    layers += [
        (model.name, "restored", _restored(model, scene, exposing)) for model in models if model.name != row.model
    ]
    own = next(model for model in models if model.name == row.model)
    share = budget // (len(layers) + 1)
    befores = [Layer(name, encode_within(picture, share), explained) for name, explained, picture in layers]
    after = Layer(row.model, encode_within(_restored(own, scene, exposing), share), "restored")
    ratio = "" if row.ratio is None else f"exposure ratio {row.ratio:g}, "
    ssim = "" if row.ssim is None else f", SSIM {row.ssim:.4f}"
    about = f"{ratio}amplified {row.amplification:.4g} times ({row.exposure}): PSNR {row.psnr:.2f} dB{ssim}"
    return join(paragraph(about, class_="quiet"), viewer(key, befores, after, row.capture))


def _is(row: Row, name: str, ratio: float | None) -> bool:
    return row.capture == name and (ratio is None or row.ratio == ratio)


def _restored(model: Model, scene: Scene, exposing: Exposing) -> NDArray[np.uint8]:
    return _eight_bits(model.restore(scene.photo, exposing, scene.ratio).picture)


def _eight_bits(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), dtype=np.uint8)


def _listed(rows: Sequence[Row]) -> Html:
    columns = [Column(name, figures=False) for name in ("Capture", "Model", "Exposure")]
    columns += map(Column, ("Ratio", "Amplification", "PSNR dB", "SSIM", "8-bit PSNR dB", "8-bit SSIM", "NIQE", "Ma"))
    cells = [
        (
            f"{row.capture}{' (misaligned)' * row.misaligned}",
            row.model,
            row.exposure,
            "-" if row.ratio is None else f"{row.ratio:g}",
            f"{row.amplification:.4g}",
            *(_figure(value) for value in (row.psnr, row.ssim, row.psnr_8bit, row.ssim_8bit, row.niqe, row.ma)),
        )
        for row in rows[:LISTED]
    ]
    more = f"The first {LISTED} of {len(rows)}; --csv writes all." if len(rows) > LISTED else None
    whole = table(Table("Every capture, model and exposure", columns, cells))
    return join(paragraph(more) if more else None, folded(f"{len(cells)} rows", whole))


def _figure(value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    return f"{value:.4f}" if math.isfinite(value) and abs(value) < 2 else f"{value:.2f}"
