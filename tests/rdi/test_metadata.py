"""A model's description: there and back, and refused when foreign, newer or damaged."""

import pytest

from rdi.camera import Cfa
from rdi.errors import ModelError
from rdi.metadata import ModelMetadata, Precision, WhiteBalance


def test_a_description_survives_its_strings():
    metadata = ModelMetadata(cfa=Cfa.XTRANS, m=1.5, white_balance=WhiteBalance.BAKED, quality={"psnr": 21.5})
    strings = metadata.to_strings()
    assert all(isinstance(value, str) for value in strings.values())
    assert ModelMetadata.from_strings({**strings, "foreign": "x"}, "a.onnx") == metadata


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rdi.format": "rdi-99"}, "update rdi"),
        ({"rdi.cfa": "RGBW"}, "damaged"),
        ({"rdi.m": "many"}, "damaged"),
        ({"rdi.training": "[1]"}, "damaged"),
        ({"rdi.size_multiple": "0"}, "size_multiple 0"),
        ({"rdi.size_multiple": "-32"}, "size_multiple -32"),
        ({"rdi.size_multiple": "33"}, "size_multiple 33"),
        ({"rdi.size_multiple": "1000000000"}, "size_multiple 1000000000"),
        ({"rdi.m": "nan"}, "m nan"),
        ({"rdi.m": "-5"}, "m -5"),
        ({"rdi.m": "inf"}, "m inf"),
        ({"rdi.training": "{"}, "damaged"),
        ({"rdi.precision": "int3"}, "int3"),
    ],
)
def test_descriptions_that_cannot_be_read_are_refused(change, reason):
    with pytest.raises(ModelError, match=reason):
        ModelMetadata.from_strings({**ModelMetadata().to_strings(), **change}, "a.onnx")


def test_files_without_a_description_are_refused():
    with pytest.raises(ModelError, match=r"a\.onnx was not written by rdi"):
        ModelMetadata.from_strings({"author": "somebody"}, "a.onnx")
    incomplete = ModelMetadata().to_strings()
    del incomplete["rdi.size_multiple"]
    with pytest.raises(ModelError, match="size_multiple"):
        ModelMetadata.from_strings(incomplete, "a.onnx")


def test_weights_files_need_not_name_a_precision():
    strings = ModelMetadata(precision=Precision.FP16).to_strings()
    assert ModelMetadata.from_strings(strings, "a.onnx").precision is Precision.FP16
    del strings["rdi.precision"]
    assert ModelMetadata.from_strings(strings, "a.safetensors").precision is Precision.FP32
