from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from rdi.runtime.given_inputs import without_defaults
from rdi.runtime.package import session_errors
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import GIVEN, make_session

MOSAIC = np.random.default_rng(5).integers(500, 900, (1, 1, 64, 96)).astype(np.uint16)
LEVELS = {
    "black_level": np.array([500, 505, 510, 515], dtype=np.float32),
    "white_level": np.array(15000, dtype=np.float32),
    "gains": np.array([2, 1, 1, 1.5], dtype=np.float32),
    "amplification": np.array(20, dtype=np.float32),
}


def by_onnx(content: bytes, names: tuple[str, ...]) -> onnx.ModelProto:
    """The same with the onnx package, which the runtime does without."""
    model = onnx.load_from_string(content)
    for item in [item for item in model.graph.initializer if item.name in names]:
        model.graph.initializer.remove(item)
    return model


@pytest.mark.parametrize("model", ["tiny_model", "exported_model"])
@pytest.mark.parametrize("names", [GIVEN, ("gains",), ()])
def test_the_defaults_are_gone_and_nothing_else(
    model: str, names: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    content = request.getfixturevalue(model).read_bytes()
    assert onnx.load_from_string(without_defaults(content, names)) == by_onnx(content, names)


def test_the_picture_is_the_same_and_the_inputs_must_be_given(exported_model: Path) -> None:
    content = exported_model.read_bytes()
    plain, bare = (make_session(file, Provider.CPU, 1) for file in (content, without_defaults(content, GIVEN)))
    inputs = {"mosaic": MOSAIC, **LEVELS}
    assert np.array_equal(plain.run(["rgb"], inputs)[0], bare.run(["rgb"], inputs)[0])
    plain.run(["rgb"], {"mosaic": MOSAIC})
    with pytest.raises(ValueError, match="amplification"):
        bare.run(["rgb"], {"mosaic": MOSAIC})


def test_a_file_above_a_fields_smallest_length_is_written_right(tmp_path: Path) -> None:
    """Lengths take one to five bytes: a graph of a few bytes and one of some hundred thousand both come out whole."""
    for size in (1, 100, 20_000, 300_000):
        weights = onnx.numpy_helper.from_array(np.ones(size, dtype=np.float32), "weights")
        spare = onnx.numpy_helper.from_array(np.ones(2, dtype=np.float32), "spare")
        value = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [size])
        node = onnx.helper.make_node("Identity", ["weights"], ["out"])
        model = onnx.helper.make_model(
            onnx.helper.make_graph([node], "g", [], [value], [weights, spare]), ir_version=10
        )
        content = model.SerializeToString()
        assert onnx.load_from_string(without_defaults(content, ["spare"])) == by_onnx(content, ("spare",))


def test_the_errors_of_a_missing_input_are_known() -> None:
    assert issubclass(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, session_errors())
