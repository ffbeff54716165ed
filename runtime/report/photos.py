"""The page of a batch: what each photo was and became, gathered while its pixels are held, written at the end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError
from rdi.isolated import CallLostError, IsolatedProcess
from rdi.page import Column, Html, Layer, Page, Section, Table, element, facts, paragraph, table, viewer, write_page
from rdi.page.budget import PAGE, Share, share_of
from rdi.page.markup import Content, join
from rdi.page.pictures import EncodedPicture, encode_within
from rdi.page.tables import folded
from rdi.runtime.outcomes import Outcome, Status
from rdi.runtime.report.exif_facts import exif_facts
from rdi.runtime.report.explanation import Explanation, explain
from rdi.runtime.report.exposure import exposure_body
from rdi.runtime.report.views import View, render_views
from rdi.runtime.restorer import Restored
from rdi.runtime.summary import Summary
from rdi.runtime.targets import Job

# Of the bytes that the pictures of a photo share: the restored one takes what it needs, LibRaw's the rest.
_RESTORED, _AS_SHOT = 0.45, 0.12
_HALF = 0.5  # of the full width: there is nothing to see in it at full size

_FULL_SIZE = "Press Full size to compare single pixels, and drag to move about."
_SHOWN = (
    "Left of the line: the photo as LibRaw renders it, amplified as much and without the network, or as it was shot. "
    f"Right of it: restored. {_FULL_SIZE}"
)


@dataclass(frozen=True, eq=False)
class _Shown:
    """What the page keeps of a restored photo, no pixels but JPEGs.

    pictures: restored, LibRaw's rendering equally bright, and as shot; the first alone where LibRaw has no rendering
    missing:  why LibRaw's are not there
    """

    share: Share
    told: Explanation
    exif: dict[str, str | None]
    pictures: tuple[EncodedPicture, ...]
    missing: str = ""


class PhotoReport:
    """Gathers a batch for its page.

    path:    of the page
    photos:  pictures that the batch will make, which share the page
    replace: whether a file of that name is replaced; otherwise the page gets another name (`rdi.page.write_page`), so
             that a batch that was broken off can be begun again and loses no page
    page:    bytes of the page at most
    """

    def __init__(self, path: Path, photos: int, *, replace: bool = True, page: int = PAGE) -> None:
        self._path, self._photos, self._replace, self._page = path, photos, replace, page
        self._shown: dict[Path, _Shown] = {}
        self._outcomes: list[Outcome] = []

    def show(self, job: Job, photo: RawPhoto, restored: Restored, process: IsolatedProcess) -> None:
        """Keep what the page will show of a picture; called while its pixels are held.

        process: in which LibRaw renders the photo, and its renderings are encoded
        """
        share = share_of(len(self._shown), self._photos, self._page)
        if not share.pictures:
            return
        shown = partial(_Shown, share, explain(photo, restored.model, restored.amplification), exif_facts(photo))
        picture = encode_within(restored.image, int(share.pictures * _RESTORED))
        views = _views(picture, restored, share.pictures - len(picture.data))
        size = restored.image.shape[1], restored.image.shape[0]
        try:
            assert photo.path is not None
            others = process.call(render_views, photo.path, photo.white_balance, size, views).value
            self._shown[job.target] = shown((picture, *others))
        except (InputError, CallLostError, MemoryError) as error:
            self._shown[job.target] = shown((picture,), f"LibRaw has no rendering to compare with: {error}.")

    def told_of(self, tell: Callable[[Outcome], object]) -> Callable[[Outcome], None]:
        """A call that keeps what became of a picture, and passes it on to another."""

        def keep(outcome: Outcome) -> None:
            self._outcomes.append(outcome)
            tell(outcome)

        return keep

    def write(self) -> Path | None:
        """Write the page of what was told so far; OutputError where that cannot be.

        returns: where it is; None where nothing was told, or nothing but what an earlier page may show
        """
        news = self._outcomes
        if not self._replace and self._path.exists():
            news = [outcome for outcome in self._outcomes if outcome.status is not Status.SKIPPED]
        return write_page(self.page(), self._path, replace=self._replace) if news else None

    def page(self) -> Page:
        """The page so far."""
        if len(self._outcomes) == 1:
            return self._page_of_one(self._outcomes[0])
        sections = [Section("All pictures", join(self._overview(), paragraph(_SHOWN, class_="quiet")))]
        for place, outcome in enumerate(self._outcomes):
            if shown := self._shown.get(outcome.job.target):
                sections.append(_section(outcome, shown, place))
        return Page(f"{len(self._outcomes)} pictures", _counts(self._outcomes), sections, cards=True)

    def _page_of_one(self, outcome: Outcome) -> Page:
        shown, summary = self._shown.get(outcome.job.target), outcome.summary
        if shown is None or summary is None:
            return Page(outcome.job.photo.name, _status(outcome), [Section("All pictures", self._overview())])
        about = f"{summary.camera}, {_iso(summary)}, {summary.width}x{summary.height} pixels"
        sections = [
            Section("Before and after", _pictures(outcome, shown, 0)),
            Section("Exposure", exposure_body(shown.told, "p0", detailed=True)),
            Section("How it was made", join(_warnings(outcome), facts(shown.exif), facts(_made(outcome, summary)))),
        ]
        return Page(outcome.job.photo.name, about, sections)

    def _overview(self) -> Html:
        columns = [Column(name, figures=False) for name in ("Picture", "Became")]
        columns += [Column("ISO"), Column("Amplification"), Column("Chosen by", figures=False), Column("Seconds")]
        rows = [
            (self._link(place, outcome), _status(outcome), *_cells(outcome))
            for place, outcome in enumerate(self._outcomes)
        ]
        return table(Table("Every picture, in the order in which it was made", columns, rows))

    def _link(self, place: int, outcome: Outcome) -> Content:
        shown = outcome.job.target in self._shown
        return element("a", _name(outcome), href=f"#photo-{place}") if shown else _name(outcome)


def _views(restored: EncodedPicture, made: Restored, left: int) -> list[View]:
    """LibRaw's equally bright rendering, no larger than the restored picture, and the photo as it was shot."""
    brightness, dark = made.amplification.value, int(left * _AS_SHOT)
    half = int(restored.width * _HALF) if not restored.reduced else restored.width
    curve = made.model.curve
    return [View(brightness, left - dark, restored.width, curve), View(1.0, dark, half, curve)]


def _section(outcome: Outcome, shown: _Shown, place: int) -> Section:
    summary = outcome.summary
    assert summary is not None
    chosen = summary.amplification
    about = f"{summary.camera}, {_iso(summary)}; amplification {chosen.value:.4g} ({chosen.describe()})"
    parts: list[Html | None] = [paragraph(about, class_="quiet"), _warnings(outcome)]
    parts.append(_pictures(outcome, shown, place, brief=True))
    if shown.share.figured:
        body = exposure_body(shown.told, f"p{place}", detailed=shown.share.detailed)
        more = facts(shown.exif), facts(_made(outcome, summary))
        parts.append(folded("Exposure, and how it was made", body, *more))
    return Section(_name(outcome), join(*parts), anchor=f"photo-{place}")


def _pictures(outcome: Outcome, shown: _Shown, place: int, *, brief: bool = False) -> Html:
    restored, *others = shown.pictures
    times = f"{shown.told.amplification.value:.4g} times"
    names = (
        ("LibRaw, as bright", f"the camera's view, amplified {times} by LibRaw, without the network"),
        ("As shot", "not amplified"),
    )
    befores = [Layer(name, picture, explained) for (name, explained), picture in zip(names, others, strict=False)]
    after = Layer("Restored", restored, f"by rdi, amplified {times}")
    note = shown.missing or (restored.describe() if brief else _FULL_SIZE if befores else "")
    return viewer(f"v{place}", befores, after, _name(outcome), note, brief=brief)


def _made(outcome: Outcome, summary: Summary) -> dict[str, str | None]:
    """Settings, times and files."""
    levels, model = summary.levels, summary.model
    gains = ", ".join(f"{gain:.3g}" for gain in summary.white_balance)
    stages = ", ".join(f"{stage} {time:.0f}" for stage, time in summary.milliseconds.items())
    return {
        "White balance": f"{gains} ({summary.white_balance_from})",
        "Mosaic": f"{levels['cfa']}, white {levels['white_level']:g}, black {_distinct(levels['black_level'])}",
        "Model": f"{model.variant}, {model.weights_sha256[:12]}" if model.weights_sha256 else model.variant,
        "Ran on": f"{summary.provider}{', in strips' if summary.in_strips else ''}"
        + (f" ({summary.fallback})" if summary.fallback else ""),
        "Milliseconds": stages,
        "Files": ", ".join(path.name for path in (*outcome.written, *outcome.kept)),
    }


def _distinct(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in dict.fromkeys(values))


def _cells(outcome: Outcome) -> tuple[str, str, str, str]:
    summary = outcome.summary
    if summary is None:
        return "", "", "", ""
    chosen = summary.amplification
    seconds = sum(summary.milliseconds.values()) / 1000
    return f"{summary.iso:g}" if summary.iso else "", f"{chosen.value:.4g}", chosen.describe(), f"{seconds:.2f}"


def _name(outcome: Outcome) -> str:
    return outcome.job.target.name if outcome.job.ev else outcome.job.photo.name


def _iso(summary: Summary) -> str:
    return f"ISO {summary.iso:g}" if summary.iso else "ISO unknown"


def _status(outcome: Outcome) -> str:
    if outcome.error:
        return f"failed: {outcome.error}"
    return "skipped: its files are there already" if outcome.status is Status.SKIPPED else str(outcome.status)


def _warnings(outcome: Outcome) -> Html | None:
    warnings = outcome.summary.warnings if outcome.summary else ()
    return join(*(paragraph(warning, class_="warning") for warning in warnings)) if warnings else None


def _counts(outcomes: list[Outcome]) -> str:
    counted = {status: sum(outcome.status is status for outcome in outcomes) for status in Status}
    return ", ".join(f"{count} {status}" for status, count in counted.items() if count)
