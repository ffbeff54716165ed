"""The encoding of ONNX files, read without the onnx package and without trusting the file.

A message is a row of fields, each a tag (number * 8 + wire type) and a value: a number in groups of seven bits, four or
eight bytes, or a length and so many bytes: text, numbers, or another message.
"""

NUMBER, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # wire types; 3 and 4 are groups, of which ONNX has none

# Number, wire type, and where in the file the field, its value and what follows it begin. A plain tuple in a plain loop
# over bytes: the ten thousand fields of a model take 3 ms; as objects, or as slices of a memoryview, 20.
Field = tuple[int, int, int, int, int]

_LONGEST = 63  # bits of a number but its last group
_TAG_BITS = 32  # which Google's reader keeps of a longer tag: to it a field of number 2**29 + 13 is number 13


def split(content: bytes, start: int, end: int) -> list[Field]:
    """The fields of the message content[start:end], in their order; ValueError for what is no message."""
    fields: list[Field] = []
    try:
        while start < end:
            tag, at = content[start], start + 1
            if tag > 127:
                tag, at = read_number(content, start)
                if tag >> _TAG_BITS:
                    raise ValueError(f"a field has number {tag >> 3}")
            kind = tag & 7
            if kind == BYTES:
                length, value = content[at], at + 1
                if length > 127:
                    length, value = read_number(content, at)
                stop = value + length
            else:
                value, stop = at, _end_of(content, at, kind)
            fields.append((tag >> 3, kind, start, value, stop))
            start = stop
    except IndexError as error:
        raise ValueError("it breaks off") from error
    if start != end:
        raise ValueError("a field does not end with its message")
    return fields


def _end_of(content: bytes, at: int, kind: int) -> int:
    if kind == NUMBER:
        return read_number(content, at)[1]
    if kind == FOUR_BYTES:
        return at + 4
    if kind == EIGHT_BYTES:
        return at + 8
    raise ValueError(f"a field has wire type {kind}")


def read_number(content: bytes, at: int) -> tuple[int, int]:
    """A number, its lowest seven bits first, and where it ends."""
    number = shift = 0
    while shift <= _LONGEST:
        group = content[at]
        number |= (group & 127) << shift
        at, shift = at + 1, shift + 7
        if group < 128:
            return number, at
    raise ValueError("a number does not end")


def write_number(number: int) -> bytes:
    """A number as `read_number` reads it."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])
