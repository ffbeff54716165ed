"""`rdi eval`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdi.errors import MissingPackageError, UsageError
from rdi.extras import install_hint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rdi.camera import RawPhoto
    from rdi.checkpoint import Checkpoint
    from rdi.evaluation import Mean, Restore, Score


def evaluate(
    photos: Annotated[Path, typer.Option(help="Folder of ordinary photos to simulate dark captures of.")],
    names: Annotated[
        Path | None,
        typer.Option("--list", help="File that names the photos, one a line; default: VALIDATION.txt in the folder."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(help="Model (.onnx) or weights (.safetensors); may be repeated. Default: the one that ships."),
    ] = None,
    from_paper: Annotated[
        Path | None, typer.Option("--from-paper", help="A published checkpoint of the paper's authors (.pth), beside.")
    ] = None,
    ratio: Annotated[str, typer.Option(help="Exposure ratios, comma-separated.")] = "100,300",
    provider: Annotated[str, typer.Option(help="ONNX Runtime's execution provider for .onnx models.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: every photo and the means.")] = False,
) -> None:
    """Measure PSNR and SSIM on simulated captures by the quality protocol (ISO 3200, true ratio, fixed seeds).

    Example: rdi eval --photos photos --ratio 100,300
    """
    from rdi import protocol
    from rdi.evaluation import evaluate as run_evaluation
    from rdi.evaluation import summarise
    from rdi.models import shipped_model

    given = model or [shipped_model()]
    names_differ = len({path.name for path in given}) == len(given)
    models = {path.name if names_differ else str(path): _restore_with(path, provider) for path in given}
    if from_paper:
        models[str(from_paper)] = _restore_with_published(from_paper)
    paths, scores = _photos(photos, names), []
    for value in _ratios(ratio):
        for score in run_evaluation(models, protocol.captures(paths, value)):
            scores.append(score)
            print(f"ratio {value:g}  {score.photo}  {score.model}  {score.psnr:.2f} dB", file=sys.stderr)
    means = summarise(scores)
    print(_json(scores, means) if as_json else _table(means))


def _photos(folder: Path, names: Path | None) -> list[Path]:
    """The listed photos of the folder, or all of them where nothing lists any."""
    from rdi.training.photos import HELD_OUT_LISTS, find_photos, read_list

    if names is not None and not names.is_file():
        raise UsageError(f"--list {names} does not exist; give a file with one photo name a line")
    listed = read_list(names or folder / HELD_OUT_LISTS[0])
    paths = [folder / name for name in listed] if listed else find_photos(folder)
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise UsageError(f"{missing[0]} is listed but not there")
    return paths


def _ratios(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--ratio {text} is no list of numbers; give for example 100,300") from error


def _restore_with(path: Path, provider: str) -> "Restore":
    if path.suffix == ".onnx":
        return _restore_with_onnx(path, provider)
    if path.suffix == ".safetensors":
        _require_torch()
        from rdi.checkpoint import load_checkpoint

        return _restore_with_torch(load_checkpoint(path))
    raise UsageError(f"--model {path} is neither .onnx nor .safetensors; published .pth files go with --from-paper")


def _restore_with_published(path: Path) -> "Restore":
    _require_torch()
    from rdi.checkpoint import load_published

    return _restore_with_torch(load_published(path))


def _restore_with_onnx(path: Path, provider: str) -> "Restore":
    import numpy as np

    from rdi.runtime import Exposure, ExposureMode, Restorer

    restorer = Restorer(path, provider=provider)

    def restore(photo: "RawPhoto", ratio: float) -> "NDArray[np.float32]":
        restored = restorer.restore(photo, Exposure(ExposureMode.RATIO, ratio))
        return np.divide(restored.image, 65535, dtype=np.float32)

    return restore


def _restore_with_torch(checkpoint: "Checkpoint") -> "Restore":
    from rdi import reference

    return lambda photo, ratio: reference.restore(checkpoint.network, checkpoint.metadata, photo, ratio)


def _require_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingPackageError(f"weights in PyTorch need torch and safetensors: {install_hint('train')}")


def _table(means: "list[Mean]") -> str:
    width = max(len(mean.model) for mean in means)
    lines = [f"{'model':{width}}  ratio  photos  PSNR dB    SSIM"]
    lines += [
        f"{mean.model:{width}}  {mean.ratio:5g}  {mean.photos:6}  {mean.psnr:7.2f}  {mean.ssim:.4f}" for mean in means
    ]
    return "\n".join(lines)


def _json(scores: "list[Score]", means: "list[Mean]") -> str:
    rows = {name: [_finite(asdict(item)) for item in items] for name, items in (("photos", scores), ("means", means))}
    return json.dumps(rows, allow_nan=False)


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity, which is the PSNR of a perfect restoration."""
    return {name: None if value == float("inf") else value for name, value in row.items()}
