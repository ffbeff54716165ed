"""The header of a lossless JPEG, as LibRaw reads it (ITU-T T.81, annexes B and H).

Where LibRaw cannot use one it decodes nothing, says nothing, and hands out the memory that it had allocated: pixels of
the photo before. So it is read here first.
"""

import struct
from dataclasses import dataclass

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_SOF_LOSSLESS, _DHT, _SOS = 0xFFC3, 0xFFC4, 0xFFDA
_LEAST_MARKER = 0xFF01
_CODE_LENGTHS = 16  # of Huffman codes, 1 to 16 bits, each with its count in the table
_OTHER_TABLE_BITS = 0b11101100  # LibRaw stops at a table whose number has one of these
MAX_BITS, MAX_COMPONENTS = 16, 6


@dataclass(frozen=True)
class LosslessHeader:
    """What stands before the compressed pixels.

    rows, columns, components: of the frame; a DNG's mosaic often has its columns dealt out to two components
    data: where the compressed pixels begin, bytes from the start
    """

    rows: int
    columns: int
    components: int
    data: int

    @property
    def samples(self) -> int:
        """Numbers that the frame holds; each takes at least one bit."""
        return self.rows * self.columns * self.components


def read_lossless_header(data: bytes) -> LosslessHeader | None:
    """Read the segments up to the start of the scan; None where LibRaw could not decode what follows them."""
    if not data.startswith(SOI):
        return None
    position, frame, table = len(SOI), b"", False
    while position + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, position)
        content = data[position + 4 : position + 2 + length]
        if marker < _LEAST_MARKER or length < 2 or len(content) < length - 2:
            return None
        if marker == _SOF_LOSSLESS:
            frame = content
        elif marker == _DHT:
            table |= _has_first_table(content)
        position += 2 + length
        if marker == _SOS:
            return _header(frame, position) if table else None
    return None


def _header(frame: bytes, data: int) -> LosslessHeader | None:
    if len(frame) < 6:
        return None
    bits, rows, columns, components = struct.unpack_from(">BHHB", frame)
    usable = 1 < bits <= MAX_BITS and rows and columns and 0 < components <= MAX_COMPONENTS
    return LosslessHeader(rows, columns, components, data) if usable else None


def _has_first_table(content: bytes) -> bool:
    """Whether a segment of Huffman tables defines number 0, which stands in for all that are missing, with any code."""
    position = 0
    while position + 1 + _CODE_LENGTHS <= len(content) and not content[position] & _OTHER_TABLE_BITS:
        codes = sum(content[position + 1 : position + 1 + _CODE_LENGTHS])
        if content[position] == 0:
            return codes > 0 and position + 1 + _CODE_LENGTHS + codes <= len(content)
        position += 1 + _CODE_LENGTHS + codes
    return False
