"""What an evaluation found: rows, means, how it was measured and what it cost."""

from dataclasses import dataclass
from typing import Any

from rdi.evaluation.published import TABLE_1, table
from rdi.evaluation.rows import NOT_MEASURED, Row
from rdi.evaluation.running import Evaluator, Stages
from rdi.evaluation.summary import Mean, summarise
from rdi.printable import in_markdown

_COLUMNS = ("captures", "exposure", "model", "n", "PSNR dB", "SSIM", "8-bit PSNR dB", "8-bit SSIM", "NIQE", "Ma")


@dataclass(frozen=True)
class Evaluation:
    """All of it.

    data:     what was measured on
    measures: how each figure is defined
    rows:     one for each capture, model and exposure
    means:    over captures
    stages:   seconds, of what was not known before
    reused:   rows of an earlier run
    with_paper: whether the paper's table 1 is shown beside
    """

    data: dict[str, Any]
    measures: dict[str, Any]
    rows: tuple[Row, ...]
    means: tuple[Mean, ...]
    stages: Stages
    reused: int = 0
    with_paper: bool = False

    @property
    def on_sid(self) -> bool:
        """Whether the captures are a part of SID."""
        return "(SID)" in self.data["data"]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "data": self.data,
            "measures": self.measures,
            "captures": [row.to_dict() for row in self.rows],
            "means": [mean.to_dict() for mean in self.means],
            "stages": self.stages.to_dict(),
            "reused": self.reused,
            **({"published": [row.to_dict() for row in TABLE_1]} if self.with_paper else {}),
        }

    def markdown(self) -> str:
        """For people: the means, how they were measured, what they cost."""
        lines = [
            f"{self._what()}.",
            "",
            "| " + " | ".join(_COLUMNS) + " |",
            "|" + "---|" * len(_COLUMNS),
            *(_line(mean) for mean in self.means),
            "",
            *self._how(),
        ]
        if self.with_paper:
            lines += ["", table(on_sid=self.on_sid)]
        return "\n".join(lines)

    def _what(self) -> str:
        details = [f"{name} {in_markdown(_text(value))}" for name, value in self.data.items() if name != "data"]
        return f"{self.data['data']}: {', '.join(details)}"

    def _how(self) -> list[str]:
        ma = self.measures["ma"] or f"{NOT_MEASURED}, for want of its published forests (--ma-model)"
        lines = [f"SSIM: {self.measures['ssim']}. NIQE: {self.measures['niqe']}. Ma: {ma}."]
        stages = self.stages
        if stages.cost is not None:
            lines.append(
                f"{stages.total:.1f} s: captures {stages.captures:.1f} s, network {stages.network:.1f} s, metrics "
                f"{stages.metrics:.1f} s, which overlap ({stages.cost:.2f} of their sum)."
            )
        if self.reused:
            lines.append(f"{self.reused} of {len(self.rows)} rows are from an earlier run.")
        return lines


def conclude(evaluator: Evaluator, rows: list[Row], *, overall: bool, with_paper: bool = False) -> Evaluation:
    """Put together what an evaluator has measured.

    rows:    what `rows` gave; those known before are added
    overall: see `summarise`
    """
    known = evaluator.known_rows()
    everything = tuple(evaluator.in_order((*known, *rows)))
    return Evaluation(
        evaluator.source.settings,
        evaluator.measures.settings,
        everything,
        tuple(summarise(everything, overall=overall)),
        evaluator.stages,
        len(known),
        with_paper,
    )


def _line(mean: Mean) -> str:
    cells = [
        mean.group,
        mean.exposure,
        in_markdown(mean.model),
        str(mean.captures),
        *(
            _figure(value, digits)
            for value, digits in zip(
                (mean.psnr, mean.ssim, mean.psnr_8bit, mean.ssim_8bit, mean.niqe, mean.ma),
                (2, 4, 2, 4, 2, 2),
                strict=True,
            )
        ),
    ]
    return "| " + " | ".join(cells) + " |"


def _figure(value: float | None, digits: int) -> str:
    return NOT_MEASURED if value is None else f"{value:.{digits}f}"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else f"{value}"
