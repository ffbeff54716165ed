"""The models of `rdi eval`: ONNX files through the runtime, weights through plain PyTorch."""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.color import decode, encode
from rdi.errors import MissingPackageError, UsageError
from rdi.evaluation.models import Exposing, Model, Restoration
from rdi.extras import install_hint
from rdi.metadata import Curve, ModelMetadata, Rendering
from rdi.models import by_name
from rdi.runtime.exposure import Exposure, ExposureMode, choose_amplification
from rdi.runtime.gamut import Gamut
from rdi.runtime.model import read_metadata
from rdi.runtime.restorer import Restorer

if TYPE_CHECKING:
    from rdi.checkpoint import Checkpoint


def open_models(files: Sequence[Path], from_paper: Path | None, provider: str, gamut: Gamut) -> list[Model]:
    """Open all of them, named by their files, or their paths where names are the same.

    gamut: of those models that leave a choice
    Raises UsageError for a file that is given twice or neither .onnx nor .safetensors and for a provider that nothing
    would run on, and what opening a file raises.
    """
    files = [by_name(path) for path in files]
    names = _names([*files, *([from_paper] if from_paper else [])])
    if provider != "cpu" and not any(path.suffix == ".onnx" for path in files):
        raise UsageError(f"--provider {provider} is for .onnx models, and there is none; leave it out or add one")
    models: list[Model] = [_open(path, names[path], provider, gamut) for path in files]
    if from_paper:
        _require_torch()
        from rdi.checkpoint import load_published

        models.append(TorchModel(names[from_paper], _digest(from_paper, "torch"), load_published(from_paper), gamut))
    return models


class OnnxModel:
    """An ONNX file, as `rdi infer` runs it."""

    def __init__(self, path: Path, name: str, provider: str, gamut: Gamut) -> None:
        self.name = name
        usable = _usable(gamut, read_metadata(path))
        self._restorer = Restorer(path, provider=provider, gamut=usable)
        self.cfa = self._restorer.model.cfa
        self.digest = _digest(path, f"{provider} {usable}")

    def restore(self, photo: RawPhoto, exposing: Exposing, ratio: float | None) -> Restoration:
        """Restore a photo; the errors of `Restorer.restore`."""
        restored = self._restorer.restore(photo, _exposure(exposing, ratio))
        picture = np.divide(restored.image, np.iinfo(restored.image.dtype).max, dtype=np.float32)
        if restored.model.curve is not Curve.BT709:  # that targets have
            picture = encode(decode(picture, restored.model.curve))
        return Restoration(picture, restored.amplification.value)


class TorchModel:
    """Weights, by the plain network in PyTorch."""

    def __init__(self, name: str, digest: str, checkpoint: "Checkpoint", gamut: Gamut) -> None:
        usable = _usable(gamut, checkpoint.metadata)
        self.name, self.digest = name, f"{digest} {usable}"
        self._checkpoint, self._gamut = checkpoint, usable
        self.cfa: Cfa = checkpoint.metadata.cfa

    def restore(self, photo: RawPhoto, exposing: Exposing, ratio: float | None) -> Restoration:
        """Restore a photo; UnsupportedMosaicError for one of another pattern."""
        from rdi import reference

        metadata = self._checkpoint.metadata
        amplification = choose_amplification(photo, metadata, _exposure(exposing, ratio)).value
        picture = reference.restore(
            self._checkpoint.network, metadata, photo, amplification, gamut_compression=self._gamut.compression
        )
        return Restoration(picture, amplification)


def _open(path: Path, name: str, provider: str, gamut: Gamut) -> Model:
    if path.suffix == ".onnx":
        return OnnxModel(path, name, provider, gamut)
    if path.suffix == ".safetensors":
        _require_torch()
        from rdi.checkpoint import load_checkpoint

        checkpoint = load_checkpoint(path)
        return TorchModel(name, _digest(path, "torch"), checkpoint, gamut)
    raise UsageError(f"--model {path} is neither .onnx nor .safetensors; published .pth files go with --from-paper")


def _usable(gamut: Gamut, model: ModelMetadata) -> Gamut:
    """The default for models whose pictures leave nothing to choose."""
    return gamut if model.rendering is Rendering.CAMERA else Gamut.COMPRESS


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice:
        raise UsageError(f"--model {twice} is given twice; leave one out")
    differ = len({path.name for path in paths}) == len(paths)
    return {path: path.name if differ else str(path) for path in paths}


def _digest(path: Path, runs_on: str) -> str:
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {runs_on}"


def _exposure(exposing: Exposing, ratio: float | None) -> Exposure:
    if exposing is Exposing.GT:
        return Exposure(ExposureMode.RATIO, ratio)
    return Exposure(ExposureMode(exposing))


def _require_torch() -> None:
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingPackageError(f"weights in PyTorch need torch and safetensors: {install_hint('train')}")
