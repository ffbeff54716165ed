"""What a verification found: a table of named checks, each with its figure and its bound."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.atomic import atomic_path
from rdi.errors import VerificationError
from rdi.metadata import Precision
from rdi.strict_json import write_json


@dataclass(frozen=True)
class Check:
    """One question to a model file and its answer.

    name:   what was looked at
    figure: what was measured; smaller is better, as a rule
    bound:  the largest figure that passes, or the smallest
    unit:   of both, for people
    at_least: whether larger is better
    reason:   why there is no figure, where there is none
    """

    name: str
    figure: float
    bound: float
    unit: str = ""
    at_least: bool = False
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether the figure keeps to its bound; not a number does not."""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


@dataclass(frozen=True)
class Report:
    """The verification of one model file.

    path:   of the file
    size:   bytes
    opset:  ONNX operator set of the graph
    provider: what ran it
    checks: in the order in which they ran
    precision: in which the weights are stored
    strips_size: bytes of the strips beside it; None: it has none
    """

    path: Path
    size: int
    opset: int
    provider: str
    checks: tuple[Check, ...]
    precision: Precision = Precision.FP32
    strips_size: int | None = None

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def require_passed(self) -> "Report":
        """Raise VerificationError, naming the first failed check with figure and bound; else return the report."""
        failed = [check for check in self.checks if not check.passed]
        if failed:
            first = failed[0]
            asked = "asked" if first.at_least else "allowed"
            more = f" ({len(failed)} of {len(self.checks)} checks failed)" if len(failed) > 1 else ""
            if first.reason:
                raise VerificationError(f"{self.path} fails check '{first.name}': {first.reason}{more}")
            raise VerificationError(
                f"{self.path} does not compute what the network computes: check '{first.name}' gives "
                f"{first.figure:.3g} {first.unit}, {asked} is {first.bound:.3g}{more}"
            )
        return self

    def parity(self) -> dict[str, Any]:
        """Check name -> figure and bound, for the model's metadata; a reason where there is one."""
        return {
            check.name: {"figure": _json_number(check.figure), "bound": check.bound, "unit": check.unit}
            | ({"reason": check.reason} if check.reason else {})
            for check in self.checks
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "path": str(self.path),
            "size_bytes": self.size,
            "strips_size_bytes": self.strips_size,
            "opset": self.opset,
            "precision": str(self.precision),
            "provider": self.provider,
            "passed": self.passed,
            "checks": [{"name": name, **values} for name, values in self.parity().items()],
        }

    def save(self, path: Path) -> None:
        """Write `to_dict` as JSON, whole or not at all."""
        with atomic_path(path) as temporary:
            temporary.write_text(write_json(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    def table(self) -> str:
        """The checks for a terminal, one a line."""
        width = max(len(check.name) for check in self.checks)
        lines = [f"{'check':{width}}  {'figure':>9}  {'bound':>9}  result"]
        for check in self.checks:
            result = "ok" if check.passed else "FAILED"
            detail = check.reason or check.unit
            shown = f"  ({detail})" if detail else ""
            lines.append(f"{check.name:{width}}  {check.figure:9.3g}  {check.bound:9.3g}  {result}{shown}")
        return "\n".join(lines)


def _json_number(figure: float) -> float | None:
    """JSON has neither NaN nor infinities."""
    return figure if math.isfinite(figure) else None
