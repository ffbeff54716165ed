"""The page of `rdi compare --report`: both pictures, where they differ and by how much, and what each backend takes."""

import math
from collections.abc import Sequence
from pathlib import Path

from rdi.export.comparison import Comparison, Pair
from rdi.export.differences import difference_picture, steps_text
from rdi.page import Bars, Column, Html, Layer, Page, Section, Table, bars, facts, paragraph, table, viewer
from rdi.page.axes import Axis
from rdi.page.budget import PAGE, share_of
from rdi.page.document import write_page
from rdi.page.markup import element, join
from rdi.page.pictures import encode_within
from rdi.runtime.timing import counted

_FLOOR = 1e-8  # the least share of the pixels that the histogram shows
# Of the bytes that the pictures of a photo share; a difference is noise, which takes most.
_PICTURE, _DIFFERENCE = 0.3, 0.4
_COLOURS = {"blue": 0, "red": 1, "green": 2}  # of plots


class ComparisonReport:
    """Gathers comparisons for their page.

    path:   of the page
    photos: how many there will be, which share the page
    bound:  the largest difference that is allowed, of full scale 1; None for none
    """

    def __init__(self, path: Path, photos: int, bound: float | None = None) -> None:
        self._path, self._photos, self._bound = path, photos, bound
        self._compared: list[Comparison] = []
        self._failed: list[tuple[str, str]] = []
        self._viewers: list[Html] = []

    def add(self, compared: Comparison, pictures: Pair) -> None:
        """Keep what the page will show of a photo; of its pictures, JPEGs."""
        share = share_of(len(self._compared), self._photos, PAGE)
        self._viewers.append(_viewer(compared, pictures, share.pictures, len(self._compared)))
        self._compared.append(compared)

    def add_failed(self, photo: Path, reason: object) -> None:
        """Keep that a photo could not be compared."""
        self._failed.append((photo.name, str(reason)))

    def write(self) -> None:
        """Write the page, if there is anything to be said; OutputError where that cannot be."""
        if self._compared or self._failed:
            write_page(self.page(), self._path)

    def page(self) -> Page:
        """The page so far."""
        sections = [
            Section(
                "Result", join(self._verdict(), _overview(self._compared, self._photos, self._bound), self._failures())
            )
        ]
        for place, compared in enumerate(self._compared):
            share = share_of(place, self._photos)
            if share.pictures:
                body = join(self._viewers[place], _details(compared, place) if share.figured else None)
                sections.append(Section(_name(compared), body, anchor=f"photo-{place}"))
        return Page("PyTorch against ONNX Runtime", self._summary(), sections)

    def _summary(self) -> str:
        if not self._compared:
            return "No photo could be compared."
        first = self._compared[0]
        count = f"{len(self._compared)} photos" if len(self._compared) > 1 else Path(first.photo).name
        how = f"{counted(first.threads, 'thread')}, {counted(first.runs, 'run')} of each, in turn"
        return f"{count}, provider {first.provider}, {how}"

    def _verdict(self) -> Html | None:
        if not self._compared:
            return None
        largest = max(compared.max_difference for compared in self._compared)
        text = f"The pictures differ by at most {largest:.2e} of full scale"
        if self._bound is None:
            return paragraph(f"{text}.", class_="lead")
        kept = largest <= self._bound
        verdict = element("b", "within" if kept else "beyond", class_="good" if kept else "bad")
        return paragraph(f"{text}: ", verdict, f" the {self._bound:.3g} allowed.", class_="lead")

    def _failures(self) -> Html | None:
        if not self._failed:
            return None
        columns = [Column("Photo", figures=False), Column("Reason", figures=False)]
        return table(Table("Photos that could not be compared", columns, self._failed))


def _overview(compared: Sequence[Comparison], photos: int, bound: float | None) -> Html | None:
    if not compared:
        return None
    names = ("Megapixels", "PyTorch ms", "ONNX Runtime ms", "Times as fast", "PyTorch MB", "ONNX Runtime MB")
    columns = [Column("Photo", figures=False), *map(Column, (*names, "Largest difference", "PSNR dB"))]
    rows = []
    for place, one in enumerate(compared):
        speeds = (f"{one.pytorch.minimum:.0f}", f"{one.onnxruntime.minimum:.0f}", f"{one.speed_up:.2f}")
        sizes = (_megabytes(one.pytorch.peak_bytes), _megabytes(one.onnxruntime.peak_bytes))
        largest = element("span", f"{one.max_difference:.2e}", class_=None if one.within(bound) else "bad")
        shown = share_of(place, photos).pictures
        name = element("a", _name(one), href=f"#photo-{place}") if shown else _name(one)
        rows.append((name, f"{one.width * one.height / 1e6:.1f}", *speeds, *sizes, largest, _decibels(one.psnr)))
    return table(Table("Time (minimum) and peak memory of each backend, and how the pictures differ", columns, rows))


def _viewer(compared: Comparison, pictures: Pair, budget: int, place: int) -> Html:
    if not budget:
        return paragraph("The page has no room for pictures of so many photos.", class_="quiet")
    difference, factor = difference_picture(pictures.onnxruntime, pictures.pytorch)
    scaled = f"absolute, brightened {factor:,.0f} times" if compared.max_difference else "none: the pictures are equal"
    befores = [
        Layer("PyTorch", encode_within(pictures.pytorch, int(budget * _PICTURE)), "the trained network, run eagerly"),
        Layer("Difference", encode_within(difference, int(budget * _DIFFERENCE)), scaled),
    ]
    after = Layer("ONNX Runtime", encode_within(pictures.onnxruntime, int(budget * _PICTURE)), "the exported file")
    return viewer(f"v{place}", befores, after, _name(compared))


def _details(compared: Comparison, place: int) -> Html:
    sides = {
        "PyTorch": f"{compared.pytorch.minimum:.0f} ms, median {compared.pytorch.median:.0f}",
        "ONNX Runtime": f"{compared.onnxruntime.minimum:.0f} ms, median {compared.onnxruntime.median:.0f}",
        "Amplification": f"{compared.amplification:.4g} times",
        "Size": f"{compared.width}x{compared.height}",
    }
    return join(facts(sides), _channels(compared), _histogram(compared, f"d{place}"))


def _channels(compared: Comparison) -> Html:
    columns = [Column("Channel", figures=False)]
    columns += map(Column, ("Largest", "99.9 % below", "RMS", "Mean", "Bias", "Differing"))
    rows = [
        (
            one.channel,
            *(f"{figure:.2e}" for figure in (one.largest, one.p999, one.rms, one.mean, one.bias)),
            f"{100 * one.differing:.3g} %",
        )
        for one in compared.channels
    ]
    return table(
        Table("Differences of each channel, of full scale 1 (bias: ONNX Runtime minus PyTorch)", columns, rows)
    )


def _histogram(compared: Comparison, key: str) -> Html:
    """Shares of the pixels over differences, both in powers: most differ by nothing, some by a step or two."""
    used = max(index for one in compared.channels for index, share in enumerate(one.histogram) if share)
    groups = [steps_text(index) for index in range(max(used, 3) + 1)]
    powers = tuple((10.0**power, f"{10.0**power:g}") for power in range(round(math.log10(_FLOOR)), 1, 2))
    columns = [Column("Steps", figures=False), *(Column(one.channel) for one in compared.channels)]
    rows = [(name, *(f"{100 * one.histogram[i]:.4g} %" for one in compared.channels)) for i, name in enumerate(groups)]
    return bars(
        Bars(
            title="Histogram of the differences",
            explain="A step is the smallest difference that 16 bits can hold; 257 of them are one step of 8 bits.",
            x="Difference, in steps of 1/65535 of full scale",
            groups=groups,
            y=Axis("Share of the pixels", _FLOOR, 1.0, powers, log=True),
            series=[(one.channel, _COLOURS[one.channel], one.histogram[: len(groups)]) for one in compared.channels],
            figures=Table("Share of the pixels by their difference", columns, rows),
        ),
        key,
    )


def _name(compared: Comparison) -> str:
    return Path(compared.photo).name or "photo"


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.0f}"


def _decibels(psnr: float) -> str:
    return f"{psnr:.1f}" if math.isfinite(psnr) else "equal"
