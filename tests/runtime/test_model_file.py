import os
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from rdi.errors import MissingPackageError, ModelError
from rdi.metadata import ModelMetadata
from rdi.runtime import Restorer, read_metadata
from rdi.runtime.model import open_model
from rdi.seal import seal


def test_a_model_says_what_it_is(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    metadata = ModelMetadata(variant="mine", m=8.0, training={"photos": 12}, quality={"psnr": 21.5})
    assert read_metadata(make_tiny_model(metadata)) == metadata


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"does not exist.*rdi export"):
        open_model(tmp_path / "none.onnx")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a folder"):
        open_model(tmp_path)


def test_what_is_no_regular_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    for path in (tmp_path / "pipe.onnx", Path("/dev/zero")):
        with pytest.raises(ModelError, match=r"is no regular file; give an ONNX file from `rdi export`"):
            open_model(path)


def test_a_file_too_large_to_be_a_model_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(1 << 40)  # sparse: takes no room
    with pytest.raises(ModelError, match=r"huge\.onnx has 1099512 MB, no model of rdi more than 268"):
        open_model(tmp_path / "huge.onnx")


@pytest.mark.parametrize("content", [b"", b"hello, this is a text", bytes(1000)])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"text\.onnx"):
        open_model(path)


def test_a_truncated_model_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_model.read_bytes()[:700])
    with pytest.raises(ModelError):
        open_model(path)


def altered(source: Path, path: Path, alter: Callable[[onnx.ModelProto], object]) -> Path:
    model = onnx.load(source)
    alter(model)
    path.write_bytes(seal(model.SerializeToString()))
    return path


def test_a_model_of_somebody_else_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    foreign = altered(tiny_model, tmp_path / "foreign.onnx", lambda model: model.ClearField("metadata_props"))
    with pytest.raises(ModelError, match="was not written by rdi"):
        Restorer(foreign)


def test_a_model_of_a_newer_format_is_refused(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    with pytest.raises(ModelError, match="update rdi"):
        open_model(make_tiny_model(ModelMetadata(format="rdi-2")))


def rename_input(model: onnx.ModelProto, old: str, new: str) -> None:
    for item in [*model.graph.input, *model.graph.initializer]:
        if item.name == old:
            item.name = new
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


def test_a_model_without_one_of_our_inputs_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    other = altered(tiny_model, tmp_path / "other.onnx", lambda model: rename_input(model, "gains", "wb"))
    with pytest.raises(ModelError, match="input 'gains' is missing"):
        open_model(other)


def test_a_model_with_another_output_type_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    def eight_bits(model: onnx.ModelProto) -> None:
        model.graph.node[-1].attribute[0].i = onnx.TensorProto.UINT8
        model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8

    with pytest.raises(ModelError, match=r"output 'rgb' is tensor\(uint8\)"):
        open_model(altered(tiny_model, tmp_path / "eight.onnx", eight_bits))


def test_without_onnxruntime_the_three_extras_are_named(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingPackageError, match=r"\.\[cpu\].*\.\[cuda\].*\.\[openvino\]"):
        Restorer(tiny_model)
