"""Latency and memory over the frame's size, as plots for a page or for an SVG file."""

from collections.abc import Callable

from rdi.export.benchmarks.backend_speed import BackendSpeeds, Row
from rdi.page import Plot, Series
from rdi.page.axes import linear_axis


def speed_plots(speeds: BackendSpeeds) -> list[Plot]:
    """Latency over megapixels and, where memory was measured, peak memory over megapixels."""
    plots = [
        _plot("Time for a frame", "the least of all runs, milliseconds", speeds, lambda row: row.latency.minimum),
        _plot("Peak memory", "mean of the processes, MB", speeds, _mean_megabytes),
    ]
    return [plot for plot in plots if plot.series]


def _mean_megabytes(row: Row) -> float | None:
    return row.peaks.mean / 1e6 if row.peaks else None


def _plot(title: str, unit: str, speeds: BackendSpeeds, value: Callable[[Row], float | None]) -> Plot:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in sorted(speeds.rows, key=lambda row: row.megapixels):
        found = value(row)
        if found is not None:
            lines.setdefault(str(row.candidate), []).append((row.megapixels, found))
    points = [point for line in lines.values() for point in line]
    return Plot(
        title,
        "",
        linear_axis("megapixels", (x for x, _ in points)),
        linear_axis(unit, (y for _, y in points)),
        [Series(name, line) for name, line in lines.items()],
    )
