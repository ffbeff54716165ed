"""The seal of a model file: a hash of its bytes, by which whoever reads it knows that they are as they were written.

It is the file's last entry of metadata, so that the file stays plain ONNX: a protobuf message may be lengthened by
appending a field. The hash is that of everything before it. It tells damage (a bit that flipped on a card, a download
that broke off, another program's changes), not malice: whoever changes a file on purpose can seal it again.
"""

import hashlib

from rdi.errors import ModelError

KEY = "rdi.content_sha256"

_HEXADECIMAL = 64
# ModelProto.metadata_props is field 14; its entries have key (1) and value (2): each a tag and a length.
_ENTRY = b"\x0a" + bytes([len(KEY)]) + KEY.encode() + b"\x12" + bytes([_HEXADECIMAL])
_HEAD = b"\x72" + bytes([len(_ENTRY) + _HEXADECIMAL]) + _ENTRY
SEAL_BYTES = len(_HEAD) + _HEXADECIMAL


def seal(content: bytes) -> bytes:
    """A model file's bytes with their seal; of one that was sealed before, with it taken off first."""
    bare = content[:-SEAL_BYTES] if is_sealed(content) else content
    return bare + _HEAD + _hash(bare)


def is_sealed(content: bytes) -> bool:
    """Whether a file ends with a seal, right or wrong."""
    return content[-SEAL_BYTES:-_HEXADECIMAL] == _HEAD


def is_unchanged(content: bytes) -> bool:
    """Whether a file ends with the hash of its other bytes: 3 ms for a model of 4 MB."""
    return is_sealed(content) and _hash(memoryview(content)[:-SEAL_BYTES]) == content[-_HEXADECIMAL:]


def require_unchanged(content: bytes, source: object) -> None:
    """ModelError, naming the file, for one that is not as `rdi export` wrote it."""
    if not is_sealed(content):
        raise ModelError(
            f"{source} does not end with the hash of its content: it is cut off, was changed by another program or "
            "written by an older rdi; export it again"
        )
    if not is_unchanged(content):
        raise ModelError(
            f"{source} is damaged: its content does not match the hash at its end; copy it anew, or export it again"
        )


def _hash(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
