"""Table 1 of the paper: what its authors published, of SID's test sets with the true exposure ratio."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """One method's published figures; None where the table has none.

    bayer, xtrans: (PSNR in dB, SSIM) on SID's Sony and Fuji part
    niqe, ma:      on the Sony part
    """

    method: str
    bayer: tuple[float, float]
    xtrans: tuple[float, float] | None
    niqe: float
    ma: float

    def to_dict(self) -> dict[str, Any]:
        """For programs; says that it is published."""
        return {"published": True, **asdict(self)}


TABLE_1 = (
    Published("SID", (28.88, 0.787), (26.61, 0.680), 4.39, 6.93),
    Published("DID", (28.41, 0.780), None, 4.52, 6.85),
    Published("SGN", (28.91, 0.789), (26.90, 0.683), 4.40, 6.92),
    Published("LLPackNet", (27.83, 0.75), (24.13, 0.59), 5.12, 5.98),
    Published("DCE", (26.53, 0.73), None, 4.64, 6.09),
    Published("LDC", (29.56, 0.799), (26.70, 0.681), 4.40, 6.91),
    Published("this network, by its authors", (28.66, 0.790), (26.60, 0.682), 4.41, 6.92),
)


def table(*, on_sid: bool) -> str:
    """Markdown, with what it can be compared with.

    on_sid: whether the figures measured beside it are SID's
    """
    lines = [
        "Published in table 1 of the paper, not measured here: SID's test sets, true exposure ratio.",
        *([] if on_sid else ["The figures above were measured on other captures: they do not compare with these."]),
        "",
        "| published | Sony PSNR / SSIM | Fuji PSNR / SSIM | Sony NIQE | Sony Ma |",
        "|---|---|---|---|---|",
    ]
    for row in TABLE_1:
        fuji = f"{row.xtrans[0]:.2f} / {row.xtrans[1]:.3f}" if row.xtrans else "-"
        lines.append(
            f"| {row.method} | {row.bayer[0]:.2f} / {row.bayer[1]:.3f} | {fuji} | {row.niqe:.2f} | {row.ma:.2f} |"
        )
    return "\n".join(lines)
