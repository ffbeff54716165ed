"""Files of strips that are damaged, swapped or made to do harm: one line says why."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from rdi.errors import ModelError
from rdi.metadata import ModelMetadata
from rdi.models import shipped_model
from rdi.runtime.model import read_metadata
from rdi.runtime.strip_file import read_strips, strip_file_of
from rdi.strips import MANIFEST, Part, strip_path

PATH = Path("a.strips.zip")
Members = dict[str, bytes]


def require_one_line(error: Exception) -> None:
    assert "\n" not in str(error), str(error)


@pytest.fixture(scope="module")
def metadata() -> ModelMetadata:
    return read_metadata(shipped_model())


@pytest.fixture(scope="module")
def whole() -> bytes:
    return strip_path(shipped_model()).read_bytes()


@pytest.fixture(scope="module")
def small() -> bytes:
    """As the shipped one, with graphs of a few bytes."""
    graph = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])).SerializeToString()
    manifest = {
        "format": "rdi-strips-2",
        **{"weights_sha256": "", "precision": "fp32", "curve": "bt709"},
        "sha256": {str(part): sha256(graph).hexdigest() for part in Part},
    }
    return packed({MANIFEST: json.dumps(manifest).encode()} | {part.file_name: graph for part in Part})


def packed(members: Members, compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def unpacked(content: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refusal(content: bytes, metadata: ModelMetadata | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        strip_file_of(content, PATH, metadata or ModelMetadata())
    assert "\n" not in str(caught.value)
    assert str(PATH) in str(caught.value)
    return str(caught.value)


def with_manifest(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    members = unpacked(content)
    manifest = json.loads(members[MANIFEST])
    change(manifest)
    return packed(members | {MANIFEST: json.dumps(manifest).encode()})


def test_the_small_file_is_one_that_opens(small: bytes) -> None:
    assert set(strip_file_of(small, PATH, ModelMetadata()).graphs) == set(Part)


def test_no_flip_or_cut_of_a_small_file_changes_what_is_read(small: bytes) -> None:
    """A flip may hit what nothing reads, such as a date: then all that is read is as it was."""
    expected = strip_file_of(small, PATH, ModelMetadata())
    for place in range(len(small)):
        mutant = bytearray(small)
        mutant[place] ^= 1 << place % 8
        try:
            found = strip_file_of(bytes(mutant), PATH, ModelMetadata())
        except ModelError as error:
            require_one_line(error)
            continue
        assert (found.graphs, found.manifest) == (expected.graphs, expected.manifest)
    for size in range(0, len(small), 3):
        refusal(small[:size])


def test_no_flip_of_the_shipped_strips_goes_unnoticed(whole: bytes, metadata: ModelMetadata) -> None:
    generator = np.random.default_rng(3)
    assert strip_file_of(whole, PATH, metadata).manifest["weights_sha256"] == metadata.weights_sha256
    for place in generator.integers(1000, len(whole) - 1000, size=20).tolist():
        mutant = bytearray(whole)
        mutant[place] ^= 1 << int(generator.integers(8))
        assert "is damaged" in refusal(bytes(mutant), metadata)


@pytest.mark.parametrize("name", [MANIFEST, *(part.file_name for part in Part)])
def test_a_member_that_is_missing_empty_or_anothers_is_refused(name: str, small: bytes, whole: bytes) -> None:
    members = unpacked(small)
    refusal(packed({key: value for key, value in members.items() if key != name}))
    refusal(packed(members | {name: b""}))
    refusal(packed(members | {name: unpacked(whole)[Part.CONTEXT.file_name]}))


def test_compressed_members_are_not_unpacked(small: bytes) -> None:
    bomb = unpacked(small) | {Part.REDUCE.file_name: bytes(50_000_000)}
    assert "is compressed or too large" in refusal(packed(bomb, zipfile.ZIP_DEFLATED))


def test_members_that_name_other_places_are_never_written(
    small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = packed(unpacked(small) | {"../escaped.onnx": b"x", "/tmp/escaped-absolute.onnx": b"x"})
    strip_file_of(content, PATH, ModelMetadata())
    assert list(tmp_path.parent.glob("**/escaped*")) == []
    assert not Path("/tmp/escaped-absolute.onnx").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda manifest: manifest.clear(), "is damaged or no file of strips"),
        (lambda manifest: manifest.update(sha256=[1]), "is damaged or no file of strips"),
        (lambda manifest: manifest.update(sha256=None), "is damaged or no file of strips"),
        (lambda manifest: manifest.update(format="rdi-strips-3\nrdi: fine"), "has format 'rdi-strips-3\\\\nrdi: fine'"),
        (lambda manifest: manifest.update(weights_sha256="f" * 64), "belongs to another model"),
        (lambda manifest: manifest.update(precision={"a": "b"}), "belongs to another model"),
        (lambda manifest: manifest["sha256"].update(context="0" * 64), "is damaged: context.onnx"),
    ],
)
def test_manifests_of_another_shape_are_refused(
    change: Callable[[dict[str, Any]], object], said: str, small: bytes
) -> None:
    assert said.replace("\\\\", "\\") in refusal(with_manifest(small, change))


@pytest.mark.parametrize("text", [b"[]", b"null", b"[" * 200_000, b'{"a":' * 200_000, b"\xff", b"9" * 10_000])
def test_manifests_that_are_none_are_refused(text: bytes, small: bytes) -> None:
    refusal(packed(unpacked(small) | {MANIFEST: text}))


def test_a_graph_that_reaches_beyond_the_file_is_refused(small: bytes) -> None:
    """The manifest's hash is right: whoever made the file made that too."""
    tensor = onnx.TensorProto(name="far", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    graph = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [tensor])).SerializeToString()
    members = unpacked(small) | {Part.RESTORE.file_name: graph}
    content = with_manifest(
        packed(members), lambda manifest: manifest["sha256"].update(restore=sha256(graph).hexdigest())
    )
    assert "restore.onnx in a.strips.zip is refused: it has external data" in refusal(content)


def test_pipes_devices_and_huge_files_are_refused_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "a.strips.zip"
    os.mkfifo(path)
    with pytest.raises(ModelError, match="is no regular file"):
        read_strips(path)
    path.unlink()
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match=r"has 1099512 MB, no file of strips of rdi more than 268"):
        read_strips(path)
