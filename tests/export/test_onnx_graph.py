from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxsim
import pytest

from rdi.camera import Cfa
from rdi.camera.photo import DEFAULT_GAINS
from rdi.errors import ModelError, VerificationError
from rdi.export.onnx_graph import add_defaults, default_inputs, require_contract, set_metadata
from rdi.export.session import GraphSession
from rdi.graph_contract import INPUTS
from rdi.metadata import ModelMetadata, Rendering, WhiteBalance


def test_defaults_are_the_daylight_balance_or_ones_for_a_baked_one() -> None:
    gains = default_inputs(ModelMetadata())["gains"]
    assert gains == pytest.approx(DEFAULT_GAINS[[0, 1, 1, 2]])
    baked = ModelMetadata(white_balance=WhiteBalance.BAKED, m=1.0, cfa=Cfa.XTRANS)
    assert np.array_equal(default_inputs(baked)["gains"], np.ones(36))
    assert default_inputs(baked)["m"] == 1
    assert all(value.dtype == np.float32 for value in default_inputs(baked).values())


def test_the_file_keeps_its_inputs_with_defaults_that_a_caller_can_override(exported_model: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(exported_model, options, providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_inputs()] == ["mosaic"]
    assert sorted(item.name for item in session.get_overridable_initializers()) == sorted(list(INPUTS)[1:])
    assert session.get_inputs()[0].shape == [1, 1, "height", "width"]
    assert session.get_outputs()[0].shape == [1, "height", "width", 3]
    mosaic = np.random.default_rng(0).integers(500, 700, (64, 64)).astype(np.uint16)
    graph = GraphSession(exported_model.read_bytes())
    _, usual = graph.run(mosaic)
    for name, value in [("black_level", np.full(4, 480)), ("white_level", 8000), ("m", 2)]:
        assert graph.run(mosaic, {name: np.asarray(value, dtype=np.float32)})[1] != usual, name
    assert graph.run(mosaic, {"amplification": np.array(7, dtype=np.float32)})[1] == 7
    picture, _ = graph.run(mosaic, {"gains": np.ones(4, dtype=np.float32)})
    assert not np.array_equal(picture, graph.run(mosaic)[0])


def test_simplifying_after_the_defaults_is_noticed(exported_model: Path) -> None:
    simplified, said_well = onnxsim.simplify(onnx.load(exported_model))
    assert said_well
    with pytest.raises(VerificationError, match=r"broke the graph contract: .*inputs.*If"):
        require_contract(simplified, Rendering.PAPER)


@pytest.mark.parametrize("name", list(INPUTS)[1:])
def test_a_missing_default_is_noticed(exported_model: Path, name: str) -> None:
    model = onnx.load(exported_model)
    kept = [item for item in model.graph.initializer if item.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    with pytest.raises(VerificationError, match="defaults"):
        require_contract(model, Rendering.PAPER)
    add_defaults(model, {name: default_inputs(ModelMetadata())[name]})
    require_contract(model, Rendering.PAPER)


def test_an_unnamed_size_and_a_foreign_operator_are_noticed(exported_model: Path) -> None:
    model = onnx.load(exported_model)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "rows"
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(VerificationError, match="sizes, standard operators"):
        require_contract(model, Rendering.PAPER)


def test_an_input_of_another_type_is_noticed(exported_model: Path) -> None:
    model = onnx.load(exported_model)
    model.graph.input[3].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    with pytest.raises(VerificationError, match=r"graph contract: inputs$"):
        require_contract(model, Rendering.PAPER)


def test_metadata_replace_whatever_tools_wrote() -> None:
    model = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))
    onnx.helper.set_model_props(model, {"tool": "noise"})
    set_metadata(model, ModelMetadata(variant="one"))
    set_metadata(model, ModelMetadata(variant="two"))
    assert {item.key: item.value for item in model.metadata_props} == ModelMetadata(variant="two").to_strings()


def test_a_graph_that_onnxruntime_cannot_load_is_named() -> None:
    with pytest.raises(ModelError, match="ONNX Runtime cannot load the model on cpu"):
        GraphSession(b"no model")
