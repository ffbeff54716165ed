"""A model whose defaults are gone, so that its inputs must be given: what some providers need.

OpenVINO takes the default of an input for a constant and computes with it whatever is given: wrong levels and a wrong
amplification, without a word. So these defaults (ONNX: initialisers that bear an input's name) are left out of the
bytes that it gets. They are cut out in the file's encoding, protobuf, because the runtime does without the onnx
package: a message is a row of fields, each a tag (number * 8 + wire type) and a value.
"""

from collections.abc import Collection, Iterator

_GRAPH, _INITIALISER, _NAME = 7, 5, 8  # field numbers: ModelProto.graph, GraphProto.initializer, TensorProto.name
_VARINT, _EIGHT_BYTES, _MESSAGE, _FOUR_BYTES = 0, 1, 2, 5  # wire types
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


def without_defaults(content: bytes, names: Collection[str]) -> bytes:
    """A model file's bytes without the defaults of these inputs.

    content: a file that onnxruntime has loaded; of anything else the result is undefined
    """
    parts: list[bytes | memoryview] = []
    for number, field, value in _fields(memoryview(content)):
        if number == _GRAPH:
            kept = [
                part for inner, part, tensor in _fields(value) if inner != _INITIALISER or _name(tensor) not in names
            ]
            parts += [_varint(_GRAPH << 3 | _MESSAGE), _varint(sum(map(len, kept))), *kept]
        else:
            parts.append(field)
    return b"".join(parts)


def _name(tensor: memoryview) -> str:
    return next((bytes(value).decode() for number, _, value in _fields(tensor) if number == _NAME), "")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number, whole field and value (empty for numbers) of each field of a message."""
    start = 0
    while start < len(message):
        tag, value = _read_varint(message, start)
        kind = tag & 7
        if kind == _MESSAGE:
            length, value = _read_varint(message, value)
            end = value + length
        else:
            end = _read_varint(message, value)[1] if kind == _VARINT else value + _FIXED[kind]
        yield tag >> 3, message[start:end], message[value:end]
        start = end


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        number |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 128:
            return number, at


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])
