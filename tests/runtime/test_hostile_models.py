"""Model files that are damaged, foreign or made to do harm: one line says why, and onnxruntime never sees them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from rdi.camera import Cfa, RawPhoto
from rdi.errors import ModelError
from rdi.metadata import UNSAID, ModelMetadata
from rdi.models import SHIPPED, shipped_model
from rdi.runtime import Restorer
from rdi.runtime import model as model_module
from rdi.runtime.contents import DEEPEST, read_description
from rdi.runtime.model import open_model
from rdi.runtime.protobuf import BYTES, write_number
from rdi.seal import require_unchanged, seal

PHOTO = RawPhoto(np.full((24, 40), 700, np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0)


def require_one_line(error: Exception) -> None:
    assert "\n" not in str(error), str(error)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(path)
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    return said


@pytest.fixture
def no_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the test fail if onnxruntime is given the file."""

    def called() -> object:
        raise AssertionError("onnxruntime was given the file")

    monkeypatch.setattr(model_module, "import_onnxruntime", called)


def test_every_single_bit_of_a_model_matters(tiny_model: Path, tmp_path: Path, no_onnxruntime: None) -> None:
    """Weights, attributes, names, metadata and the seal itself: 17,000 mutants, all of them refused."""
    whole, path = tiny_model.read_bytes(), tmp_path / "flipped.onnx"
    for bit in range(8 * len(whole)):
        mutant = bytearray(whole)
        mutant[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ModelError, match=r"is damaged|does not end with the hash"):
            require_unchanged(bytes(mutant), path)
    path.write_bytes(bytes(mutant))
    assert "export it again" in refusal(path)


def test_a_model_cut_off_anywhere_is_refused(tiny_model: Path, tmp_path: Path, no_onnxruntime: None) -> None:
    whole, path = tiny_model.read_bytes(), tmp_path / "cut.onnx"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        refusal(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_whole_and_no_flip_or_cut_goes_unnoticed(
    name: str, tmp_path: Path, no_onnxruntime: None
) -> None:
    whole, path = shipped_model(name).read_bytes(), tmp_path / "rdi.onnx"
    generator = np.random.default_rng(17)
    require_unchanged(whole, path)
    for place in generator.integers(len(whole), size=20).tolist():
        mutant = bytearray(whole)
        mutant[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(mutant)
        assert "is damaged" in refusal(path)
        path.write_bytes(whole[:place])
        refusal(path)


def run_mutants(model: Path, seed: int, count: int) -> dict[str, int]:
    script = Path(__file__).with_name("resealed_mutants.py")
    done = subprocess.run(
        [sys.executable, str(script), str(model), str(seed), str(count)], capture_output=True, text=True, timeout=3600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_mutants_that_were_sealed_again_end_in_one_line_or_a_picture(tiny_model: Path) -> None:
    found = run_mutants(tiny_model, seed=1, count=400)
    assert set(found) <= {"ModelError", "ProviderError", "picture"}
    assert found["ModelError"] > 100
    assert found["picture"] > 10


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 7))
def test_thousands_of_sealed_mutants_end_in_one_line_or_a_picture(tiny_model: Path, seed: int) -> None:
    assert set(run_mutants(tiny_model, seed, count=4000)) <= {"ModelError", "ProviderError", "picture"}


Alter = Callable[[onnx.ModelProto], object]


def altered(source: Path, path: Path, alter: Alter) -> Path:
    """A model changed on purpose, and sealed again."""
    model = onnx.load(source)
    del model.metadata_props[-1]  # the old seal
    alter(model)
    path.write_bytes(seal(model.SerializeToString()))
    return path


def external(model: onnx.ModelProto, location: str = "/etc/passwd") -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def external_within_a_branch(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="secret.bin")
    inner = helper.make_graph([], "branch", [], [], [tensor])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def external_constant(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[1])
    tensor.external_data.add(key="location", value="*/_ORT_MEM_ADDR_/*")  # a memory address in place of a file
    model.graph.node.append(helper.make_node("Constant", [], ["y"], value=tensor))


def external_sparse(model: onnx.ModelProto) -> None:
    external_values = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    model.graph.sparse_initializer.add(values=external_values)


def other_domain(model: onnx.ModelProto) -> None:
    """onnxruntime runs it although the file names no operator set of that domain."""
    model.graph.node.append(helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft"))


def other_domain_in_a_branch(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([helper.make_node("Gelu", ["x"], ["z"], domain="com.microsoft")], "branch", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def a_loop(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["y"], body=helper.make_graph([], "body", [], [])))


def a_function(model: onnx.ModelProto) -> None:
    model.functions.append(helper.make_function("", "Own", [], [], [], [helper.make_opsetid("", 21)]))


def nested(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "branch", [], [])
    for _ in range(DEEPEST):
        inner = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=inner)], "branch", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner))


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (external, "has external data"),
        (lambda model: external(model, "../../secret.bin"), "has external data"),
        (external_within_a_branch, "has external data"),
        (external_constant, "has external data"),
        (external_sparse, "has external data"),
        (other_domain, "domain 'com.microsoft'"),
        (other_domain_in_a_branch, "domain 'com.microsoft'"),
        (lambda model: model.opset_import.append(helper.make_opsetid("mine", 1)), "domain 'mine'"),
        (a_loop, "has a loop"),
        (a_function, "functions of its own"),
        (lambda model: model.training_info.add(), "graph for training"),
        (nested, "messages within messages"),
        (lambda model: model.metadata_props.insert(0, model.metadata_props[3]), "twice"),
    ],
)
def test_what_reaches_beyond_its_file_is_refused_before_onnxruntime_sees_it(
    alter: Alter, said: str, tiny_model: Path, tmp_path: Path, no_onnxruntime: None
) -> None:
    assert said in refusal(altered(tiny_model, tmp_path / "hostile.onnx", alter))


def field(number: int, content: bytes) -> bytes:
    return write_number(number << 3 | BYTES) + write_number(len(content)) + content


def test_a_field_that_onnxruntime_takes_for_another_is_refused(
    tiny_model: Path, tmp_path: Path, no_onnxruntime: None
) -> None:
    """It keeps 32 bits of a tag, so that number 2**29 + 13 is external data to it and an unknown field to others."""
    place = field(1, b"location") + field(2, b"secret.bin")
    tensor = field(8, b"far") + b"\x10\x01\x08\x01" + field((1 << 29) + 13, place)
    path = tmp_path / "wide.onnx"
    path.write_bytes(
        seal(tiny_model.read_bytes() + field(7, field(5, tensor)))
    )  # a second graph is a part of the first
    assert "a field has number 536870925" in refusal(path)


def test_a_file_that_onnxruntime_takes_for_its_own_format_is_refused(
    tiny_model: Path, tmp_path: Path, no_onnxruntime: None
) -> None:
    """It looks at four bytes, and then at nothing that was checked; here they are the name of the producer."""
    path = tmp_path / "both.onnx"
    path.write_bytes(seal(b"\x08\x0a" + field(2, b"ORTM") + tiny_model.read_bytes()))
    assert "has onnxruntime's own format" in refusal(path)


def set_opset(model: onnx.ModelProto, version: int) -> None:
    model.opset_import[0].version = version


@pytest.mark.parametrize(
    "alter",
    [
        lambda model: set_opset(model, 99),
        lambda model: set_opset(model, 5),
        lambda model: setattr(model, "ir_version", 99),
        lambda model: model.graph.ClearField("node"),
        lambda model: setattr(model.graph.node[0], "op_type", "Nonsense"),
        lambda model: setattr(model.graph.initializer[0], "data_type", 77),
        lambda model: model.graph.initializer[0].dims.append(-1),
        lambda model: model.graph.initializer[0].dims.append(1 << 62),
    ],
    ids=["opset 99", "opset 5", "IR 99", "no nodes", "operator", "type", "negative size", "huge size"],
)
def test_what_onnxruntime_cannot_load_is_refused_with_its_reason(
    alter: Alter, tiny_model: Path, tmp_path: Path
) -> None:
    assert "no ONNX file that onnxruntime can load (" in refusal(altered(tiny_model, tmp_path / "odd.onnx", alter))


def test_a_model_that_was_changed_and_not_sealed_again_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    model = onnx.load(tiny_model)
    model.graph.initializer[0].raw_data = bytes(16)
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    assert "is damaged: its content does not match the hash at its end" in refusal(path)
    del model.metadata_props[-1]
    onnx.save(model, path)
    assert "does not end with the hash of its content" in refusal(path)


@pytest.mark.parametrize("missing", sorted(ModelMetadata().to_strings().keys() - set(UNSAID)))
def test_a_model_that_leaves_something_unsaid_is_refused(missing: str, tiny_model: Path, tmp_path: Path) -> None:
    def drop(model: onnx.ModelProto) -> None:
        kept = [(item.key, item.value) for item in model.metadata_props if item.key != missing]
        helper.set_model_props(model, dict(kept))

    assert "rdi metadata" in refusal(altered(tiny_model, tmp_path / "incomplete.onnx", drop))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": "[" * 100_000}, "damaged"),
        ({"training": '{"a":' * 100 + "1" + "}" * 100}, "nested too deep"),
        ({"m": "nan"}, "m nan"),
        ({"size_multiple": "9" * 5000}, "damaged"),
        ({"format": "rdi-9\nrdi: all is well"}, "update rdi"),
    ],
)
def test_descriptions_made_to_break_their_reader_are_refused(
    changes: dict[str, str], said: str, tiny_model: Path, tmp_path: Path
) -> None:
    def say(model: onnx.ModelProto) -> None:
        for item in model.metadata_props:
            item.value = changes.get(item.key.removeprefix("rdi."), item.value)

    assert said in refusal(altered(tiny_model, tmp_path / "odd.onnx", say))


def test_another_size_rule_than_the_graphs_is_one_line(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    """What its graph cannot take, the network's failure, is a ModelError; what it can take gives a picture."""
    assert Restorer(make_tiny_model(ModelMetadata(size_multiple=64))).restore(PHOTO, 10).image.shape == (24, 40, 3)
    odd = RawPhoto(PHOTO.mosaic, Cfa.XTRANS, np.full(36, 512.0), 16383.0)
    with pytest.raises(ModelError, match="the network failed on this frame") as caught:
        Restorer(make_tiny_model(ModelMetadata(cfa=Cfa.XTRANS))).restore(odd, 10)
    assert "\n" not in str(caught.value)


def test_a_picture_of_another_size_than_the_frame_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    def half(model: onnx.ModelProto) -> None:
        scales = next(item for item in model.graph.initializer if item.name == "scales")
        scales.CopyFrom(onnx.numpy_helper.from_array(np.ones(4, np.float32), "scales"))

    restorer = Restorer(altered(tiny_model, tmp_path / "half.onnx", half))
    with pytest.raises(ModelError, match=r"the model gives rgb of shape \(1, .* in place of"):
        restorer.restore(PHOTO, 10)


def test_a_sealed_file_is_sealed_but_once(tiny_model: Path) -> None:
    content = tiny_model.read_bytes()
    assert seal(content) == content
    assert onnx.load_from_string(content).metadata_props[-1].key == "rdi.content_sha256"


def test_any_bytes_are_read_or_refused(tiny_model: Path) -> None:
    generator, content = np.random.default_rng(5), tiny_model.read_bytes()
    for _ in range(3000):
        mutant = bytearray(content)
        for place in generator.integers(len(content), size=int(generator.integers(1, 4))):
            mutant[place] = int(generator.integers(256))
        try:
            read_description(bytes(mutant), "a.onnx")
        except ModelError as error:
            require_one_line(error)
    for content in (b"\xff" * 10_000, b"\x3a\xff\xff\xff\xff\x0f", b"\x0b", bytes([0x3A, 200, 1]), b"\x72\x02\x0a\x09"):
        with pytest.raises(ModelError, match="is no ONNX file, or damaged"):
            read_description(content, "a.onnx")
    with pytest.raises(ModelError, match="has external data"):  # where its data lie is no number
        read_description(field(7, field(5, field(14, b""))), "a.onnx")


def test_a_file_of_millions_of_fields_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdi.runtime.contents.MOST_FIELDS", 1000)
    with pytest.raises(ModelError, match="more than 1,000 fields"):
        read_description(b"\x08\x01" * 2000, "a.onnx")


def test_a_link_to_a_device_or_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    for name, target in (("zero.onnx", "/dev/zero"), ("self.onnx", "self.onnx"), ("none.onnx", "nowhere")):
        (tmp_path / name).symlink_to(target)
        refusal(tmp_path / name)


def test_a_provider_gets_no_model_that_was_not_checked() -> None:
    """What other providers are given is cut out of checked bytes: nonsense is refused, not passed on."""
    from rdi.runtime.given_inputs import without_defaults

    with pytest.raises(ValueError, match="wire type"):
        without_defaults(b"\x07\x07", ["gains"])
    assert without_defaults(b"", []) == b""
