"""What an export can be asked for."""

import math
from dataclasses import dataclass

from rdi.errors import UsageError
from rdi.metadata import Curve, ModelMetadata, Precision, Rendering

OPSETS = range(21, 24)  # 21 brought uint16 to the operators used here; torch 2.13 writes up to 23
DEFAULT_MIN_PSNR = 60.0  # dB; half precision gives 80 where weights alone are rounded, 70 where everything is


@dataclass(frozen=True)
class ExportSettings:
    """How a checkpoint is written.

    opset:     ONNX operator set, 21 to 23
    precision: how the network's weights are stored, and what it computes in
    strips:    also write the model in strips, for runtimes of bounded memory (`rdi.strips`)
    simplify:  let onnxsim fold what the exporter left; without it, a few nodes more and the same speed
    min_psnr:  dB; the least that pictures in half precision must reach against float32; None: 60
    curve:     tone curve of the pictures, of a network whose output is camera RGB; None: the one it was trained with

    Raises UsageError for a value or a combination that is not supported.
    """

    opset: int = OPSETS.start
    precision: Precision = Precision.FP32
    simplify: bool = True
    min_psnr: float | None = None
    strips: bool = True
    curve: Curve | None = None

    def __post_init__(self) -> None:
        if self.opset not in OPSETS:
            raise UsageError(f"opset {self.opset} is not supported; give {OPSETS.start} to {OPSETS.stop - 1}")
        if self.min_psnr is None:
            return
        if self.precision is Precision.FP32:
            raise UsageError(
                "a least PSNR is for half precision; give it with precision fp16, fp16-compute, or not at all"
            )
        if not (math.isfinite(self.min_psnr) and self.min_psnr > 0):
            raise UsageError(f"a least PSNR of {self.min_psnr} dB is no bound; give a number above 0")

    def described(self, model: ModelMetadata) -> ModelMetadata:
        """What a file says that is written so; UsageError for a curve that the network's output leaves no choice of."""
        curve = self.curve or model.curve
        if curve is not model.curve and model.rendering is not Rendering.CAMERA:
            raise UsageError(
                f"the network gives pictures with the curve {model.curve}; another one can be chosen for networks with "
                f"rendering {Rendering.CAMERA} only"
            )
        return model.replace(precision=self.precision, curve=curve)

    @property
    def writes_strips(self) -> bool:
        """Whether a file of strips is written: they are for memory limits on the CPU, half computation is for GPUs."""
        return self.strips and self.precision is not Precision.FP16_COMPUTE


def parse_curve(name: str) -> Curve:
    """The tone curve of this name; raises UsageError, which lists the known ones."""
    try:
        return Curve(name.lower())
    except ValueError as error:
        raise UsageError(f"curve {name!r} is not supported; give one of {', '.join(Curve)}") from error


def parse_precision(name: str) -> Precision:
    """The precision of this name; raises UsageError, which lists the known ones."""
    try:
        return Precision(name.lower())
    except ValueError as error:
        raise UsageError(f"precision {name!r} is not supported; give one of {', '.join(Precision)}") from error
