"""The exporter: checkpoint in, one verified file out; and the same verification for a file that exists."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from rdi.atomic import atomic_path
from rdi.checkpoint import Checkpoint, weights_digest
from rdi.errors import ModelError
from rdi.export.graph import graph_of
from rdi.export.onnx_graph import DEFAULT_OPSET, build_model, set_metadata
from rdi.export.report import Report
from rdi.export.verification import verify
from rdi.metadata import ModelMetadata


def export(checkpoint: Checkpoint, out: Path, *, opset: int = DEFAULT_OPSET) -> Report:
    """Write a checkpoint as one ONNX file, if and only if the file passes its verification.

    out:     replaced as a whole when all is well; otherwise left as it was
    opset:   ONNX operator set, 21 to 23
    returns: what the verification found
    Raises VerificationError for a graph that does not compute what the network computes, UsageError for another
    opset, OutputError where `out` cannot be written.
    """
    with atomic_path(out) as temporary:
        metadata = checkpoint.metadata.replace(weights_sha256=weights_digest(checkpoint.network))
        model = build_model(graph_of(checkpoint), metadata, opset)
        report = _verified(model.SerializeToString(), checkpoint, out, "cpu", to_the_end=False).require_passed()
        # The figures go into the file that they were measured on; its graph stays as it is.
        set_metadata(model, metadata.replace(parity=report.parity()))
        content = model.SerializeToString()
        temporary.write_bytes(content)
    return Report(out, len(content), report.opset, report.provider, report.checks)


def verify_model(path: Path, checkpoint: Checkpoint, provider: str = "cpu") -> Report:
    """Run export's checks on an existing file; VerificationError at the first that fails (else see `inspect_model`)."""
    return _verified(_read(path), checkpoint, path, provider, to_the_end=False).require_passed()


def inspect_model(path: Path, checkpoint: Checkpoint, provider: str = "cpu") -> Report:
    """Run export's checks on an existing file and return their figures, good or bad.

    provider: cpu, cuda, or whatever this onnxruntime has
    Raises ModelError for a file that is missing, no ONNX file or not from `rdi export`, ProviderError for a provider
    that is not here.
    """
    return _verified(_read(path), checkpoint, path, provider, to_the_end=True)


def _read(path: Path) -> bytes:
    """The bytes of a file that is an ONNX model and says that it is ours."""
    try:
        content = path.read_bytes()
        model = onnx.load_from_string(content)
    except OSError as error:
        raise ModelError(f"model {path} cannot be read: {error.strerror}") from error
    except DecodeError as error:
        raise ModelError(f"{path} is no ONNX file; give one from `rdi export`") from error
    ModelMetadata.from_strings({item.key: item.value for item in model.metadata_props}, str(path))
    return content


def _verified(content: bytes, checkpoint: Checkpoint, path: Path, provider: str, *, to_the_end: bool) -> Report:
    """The checks up to the first that fails, or all of them."""
    checks = []
    for check in verify(content, checkpoint, provider):
        checks.append(check)
        if not (check.passed or to_the_end):
            break
    opset = next(item.version for item in onnx.load_from_string(content).opset_import if item.domain == "")
    return Report(path, len(content), opset, provider, tuple(checks))
