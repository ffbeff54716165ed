"""What a model says of itself: written by training and export, read by the runtime.

The same fields stand in a checkpoint (safetensors' `__metadata__`) and in an ONNX file (`metadata_props`), as strings;
structured fields are JSON. The runtime takes its rules (size, CFA, white balance, m) from here, not from constants.
"""

import json
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from rdi.amplifier import MConvention
from rdi.camera.cfa import Cfa
from rdi.errors import ModelError
from rdi.model_kinds import BelowBlack as BelowBlack  # all of them are part of a model's description
from rdi.model_kinds import Companding as Companding
from rdi.model_kinds import Curve as Curve
from rdi.model_kinds import Rendering as Rendering
from rdi.model_kinds import WhiteBalance as WhiteBalance
from rdi.strict_json import read_object

FORMAT = "rdi-1"
LICENCE = "MIT"
PATENT_NOTICE = (
    "The authors of 'Restoring Extremely Dark Images in Real Time' (Lamba and Mitra, CVPR 2021) name a patent "
    "application (India, No. 202141026548) for the method. This model's licence grants no right under it; commercial "
    "users should clear it."
)


LARGEST_MULTIPLE = 1024  # pixels; a frame is padded to it
LARGEST_M = 1000.0


class Precision(StrEnum):
    """How a model file stores the network's weights, and what it computes in."""

    FP32 = "fp32"
    FP16 = "fp16"  # weights in half precision, half of the bytes; computed in float32 all the same
    FP16_COMPUTE = "fp16-compute"  # weights and computation in half precision: for GPUs

    @property
    def note(self) -> str:
        """What whoever runs such a model on a CPU should know; "" where there is nothing to say."""
        return _SLOW_ON_A_CPU if self is Precision.FP16_COMPUTE else ""


_SLOW_ON_A_CPU = (
    "this model computes in half precision and is made for a GPU (provider cuda); on a CPU it is slower than one "
    "exported with --precision fp32 or fp16"
)


# What a file means that says nothing of it: a weights file is not asked how it stores numbers, and models made before
# there was a choice were trained without negative light, and on light as it is.
UNSAID = {
    "rdi.precision": str(Precision.FP32),
    "rdi.below_black": str(BelowBlack.CUT),
    "rdi.companding": str(Companding.NONE),
}


@dataclass(frozen=True)
class ModelMetadata:
    """A model's own description.

    format:        version of this description
    network:       which architecture
    variant:       free name of this set of weights
    rendering:     what the output is
    curve:         tone curve of the output
    precision:     how an ONNX file stores the weights and computes; weights files are always float32
    size_multiple: height and width of the mosaic are multiples of it
    cfa:           phase that the mosaic must have
    white_balance: where the gains are applied
    below_black:   whether counts below black are cut off before the network
    companding:    whether the network works on light or on its root
    m, m_convention: factor of the amplifier's estimate, and whether it enters before or after the clip
    training:      data and settings it was trained with
    weights_sha256: hash of the folded weights (`rdi.checkpoint.weights_digest`)
    parity:        verification figures of the export; empty in a checkpoint
    quality:       measured quality; empty if none was measured
    licence, patent_notice: of these weights
    """

    format: str = FORMAT
    network: str = "restoring-extremely-dark-images"
    variant: str = "rdi"
    rendering: Rendering = Rendering.PAPER
    curve: Curve = Curve.BT709
    precision: Precision = Precision.FP32
    size_multiple: int = 32
    cfa: Cfa = Cfa.RGGB
    white_balance: WhiteBalance = WhiteBalance.INPUT
    below_black: BelowBlack = BelowBlack.KEPT
    companding: Companding = Companding.NONE
    m: float = 5.0
    m_convention: MConvention = MConvention.BEFORE_CLIP
    training: dict[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    parity: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)
    licence: str = LICENCE
    patent_notice: str = PATENT_NOTICE

    def __post_init__(self) -> None:
        """Refuse rules that no network has: a size rule of 0 or a billion, an m that is no positive number."""
        if not 2 <= self.size_multiple <= LARGEST_MULTIPLE or self.size_multiple % 2:
            raise ValueError(f"size_multiple {self.size_multiple}")
        if not 0 < self.m <= LARGEST_M:  # nan fails too
            raise ValueError(f"m {self.m}")

    def to_strings(self) -> dict[str, str]:
        """Field name (prefixed with `rdi.`) -> string; dictionaries as JSON."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {f"rdi.{name}": _to_string(value) for name, value in values.items()}

    @classmethod
    def from_strings(cls, strings: dict[str, str], source: str) -> "ModelMetadata":
        """Read them back; `source` names the file in the ModelError for a missing, foreign or newer description."""
        if "rdi.format" not in strings:
            raise ModelError(
                f"{source} was not written by rdi: it carries no rdi metadata; use `rdi export` to make one"
            )
        if strings["rdi.format"] != FORMAT:
            raise ModelError(f"{source} has format {strings['rdi.format']!r}; this rdi reads {FORMAT!r}: update rdi")
        try:
            strings = UNSAID | strings
            return cls(**{item.name: _from_string(strings[f"rdi.{item.name}"], item.default) for item in fields(cls)})
        except (KeyError, ValueError) as error:
            raise ModelError(
                f"{source} has rdi metadata that are damaged or newer than this rdi ({error}); export it again or "
                "update rdi"
            ) from error

    def replace(self, **changes: object) -> "ModelMetadata":
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _to_string(value: object) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def _from_string(text: str, default: object) -> Any:
    """Parse by the type of the field's default; a field without one holds JSON."""
    if isinstance(default, StrEnum | int | float | str):
        return type(default)(text)
    return read_object(text)
