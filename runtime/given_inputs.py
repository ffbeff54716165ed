"""A model whose defaults are gone, so that its inputs must be given: what some providers need.

OpenVINO takes the default of an input for a constant and computes with it whatever is given: wrong levels and a wrong
amplification, without a word. So these defaults (ONNX: initialisers that bear an input's name) are left out of the
bytes that it gets. They are cut out in the file's encoding, because the runtime does without the onnx package.
"""

from collections.abc import Collection

from rdi.runtime.protobuf import BYTES, split, write_number

_GRAPH, _INITIALISER, _NAME = 7, 5, 8  # field numbers: ModelProto.graph, GraphProto.initializer, TensorProto.name


def without_defaults(content: bytes, names: Collection[str]) -> bytes:
    """A model file's bytes without the defaults of these inputs.

    content: a file that `open_model` has checked; ValueError for what is no ONNX file
    """
    whole = memoryview(content)
    parts: list[bytes | memoryview] = []
    for number, _, start, value, end in split(content, 0, len(content)):
        if number == _GRAPH:
            kept = [
                whole[first:last]
                for inner, _, first, begin, last in split(content, value, end)
                if inner != _INITIALISER or _name(content, begin, last) not in names
            ]
            parts += [write_number(_GRAPH << 3 | BYTES), write_number(sum(map(len, kept))), *kept]
        else:
            parts.append(whole[start:end])
    return b"".join(parts)


def _name(content: bytes, start: int, end: int) -> str:
    named = (content[value:last] for number, _, _, value, last in split(content, start, end) if number == _NAME)
    return next(named, b"").decode()
