"""The exporter: checkpoint in, one verified file out; and the same verification for a file that exists."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from rdi.atomic import atomic_paths
from rdi.checkpoint import Checkpoint, weights_digest
from rdi.errors import ModelError
from rdi.export.graph import graph_of
from rdi.export.onnx_graph import build_model, set_metadata
from rdi.export.report import Check, Report
from rdi.export.settings import DEFAULT_MIN_PSNR, ExportSettings
from rdi.export.strip_checks import check_strips
from rdi.export.strip_file import build_strip_file, remove_strips
from rdi.export.verification import metadata_of, verify
from rdi.metadata import ModelMetadata, Rendering
from rdi.runtime.contents import read_description
from rdi.runtime.model import read_model
from rdi.runtime.strip_file import read_strips
from rdi.seal import is_unchanged, seal
from rdi.strips import strip_path


def export(
    checkpoint: Checkpoint,
    out: Path,
    settings: ExportSettings | None = None,
    observe: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Write a checkpoint as one ONNX file, if and only if the file passes its verification; its strips beside it.

    out:      and `rdi.strips.zip` beside `rdi.onnx`; both replaced when all is well, otherwise left as they were; old
              strips are removed where none are written
    settings: opset, precision and more; by default opset 21 and float32
    observe:  told what the verification found, if a check failed too
    returns:  the same
    Raises VerificationError for a graph that does not compute what the network computes, OutputError where `out`
    cannot be written.
    """
    settings = settings or ExportSettings()
    checkpoint = replace(checkpoint, metadata=settings.described(checkpoint.metadata))
    with atomic_paths(out, *([strip_path(out)] if settings.writes_strips else [])) as temporaries:
        content, strips, report = _build(checkpoint, out, settings, observe)
        for temporary, written in zip(temporaries, (content, strips), strict=False):
            temporary.write_bytes(written)
    if not settings.writes_strips:
        remove_strips(out)
    observe(report)
    return report


def _build(
    checkpoint: Checkpoint, out: Path, settings: ExportSettings, observe: Callable[[Report], None]
) -> tuple[bytes, bytes, Report]:
    """The model's bytes and its strips' (none: empty), both verified."""
    metadata = checkpoint.metadata.replace(weights_sha256=weights_digest(checkpoint.network))
    graph = graph_of(checkpoint, settings.precision)
    model = build_model(graph, metadata, settings)
    least = DEFAULT_MIN_PSNR if settings.min_psnr is None else settings.min_psnr
    content = model.SerializeToString()
    report = _accepted(_verified(content, None, checkpoint, out, "cpu", least, to_the_end=False), observe)
    strips = b""
    if settings.writes_strips:
        strips = build_strip_file(graph, metadata, settings)
        checks = (*report.checks, check_strips(content, strips, metadata))
        report = _accepted(replace(report, checks=checks, strips_size=len(strips)), observe)
    # The figures go into the file that they were measured on; its graph stays as it is.
    set_metadata(model, metadata.replace(parity=report.parity()))
    content = seal(model.SerializeToString())
    return content, strips, replace(report, size=len(content))


def _accepted(report: Report, observe: Callable[[Report], None]) -> Report:
    """The report of a file that passed; that of another one is shown before it is refused."""
    if not report.passed:
        observe(report)
    return report.require_passed()


def verify_model(path: Path, checkpoint: Checkpoint, provider: str = "cpu") -> Report:
    """Run export's checks on an existing file; VerificationError at the first that fails (else see `inspect_model`)."""
    return _inspected(path, checkpoint, provider, to_the_end=False).require_passed()


def inspect_model(path: Path, checkpoint: Checkpoint, provider: str = "cpu") -> Report:
    """Run export's checks on an existing file and return their figures, good or bad.

    provider: cpu, cuda, or whatever this onnxruntime has
    Raises ModelError for a file that is missing, no ONNX file or not from `rdi export`, ProviderError for a provider
    that is not here.
    """
    return _inspected(path, checkpoint, provider, to_the_end=True)


def _inspected(path: Path, checkpoint: Checkpoint, provider: str, *, to_the_end: bool) -> Report:
    content = _read(path)
    report = _verified(content, _strips_beside(path), checkpoint, path, provider, None, to_the_end=to_the_end)
    # The seal comes last: what a change does to the pictures says more than that there was one.
    seal_check = Check("hash of the file", float(not is_unchanged(content)), 0, "mismatches")
    return replace(report, checks=(*report.checks, seal_check)) if report.passed or to_the_end else report


def _read(path: Path) -> bytes:
    """The bytes of a file that says that it is ours and may be run; whether they were changed is for a check."""
    content = read_model(path)
    ModelMetadata.from_strings(read_description(content, path), str(path))
    try:
        onnx.load_from_string(content)
    except DecodeError as error:
        raise ModelError(f"{path} is no ONNX file; give one from `rdi export`") from error
    return content


def _strips_beside(path: Path) -> bytes | None:
    """The model's strips, if there are any."""
    beside = strip_path(path)
    return read_strips(beside) if beside.exists() else None


def _verified(
    content: bytes,
    strips: bytes | None,
    checkpoint: Checkpoint,
    path: Path,
    provider: str,
    min_psnr: float | None,
    *,
    to_the_end: bool,
) -> Report:
    """The checks up to the first that fails, or all of them."""
    model = onnx.load_from_string(content)
    found = metadata_of(model)
    if checkpoint.metadata.rendering is Rendering.CAMERA:  # whose curve was chosen when the file was written
        checkpoint = replace(checkpoint, metadata=checkpoint.metadata.replace(curve=found.curve))
    checks = []
    for check in verify(content, checkpoint, provider, min_psnr, strips):
        checks.append(check)
        if not (check.passed or to_the_end):
            break
    opset = next(item.version for item in model.opset_import if item.domain == "")
    size = None if strips is None else len(strips)
    return Report(path, len(content), opset, provider, tuple(checks), found.precision, size)
