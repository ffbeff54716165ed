"""What is in a model file, found before onnxruntime sees it: its description, and that it stays within itself.

onnxruntime opens other files for an ONNX file that asks for it (external data; a context of a provider), takes memory
addresses in place of file names, and runs operators of other domains without their being named. A model of rdi has none
of these, and no loops: one that has is refused by reading the file's encoding, which takes 3 ms.
"""

from collections.abc import Callable, Mapping

from rdi.errors import ModelError
from rdi.runtime.protobuf import BYTES, NUMBER, Field, read_number, split

STANDARD = ("", "ai.onnx")  # two names of one domain
ENDLESS = ("Loop", "Scan")
_ORT = b"ORTM"  # bytes 4 to 7 of onnxruntime's own format; it looks at nothing else, and a file can be both
MOST_FIELDS = 1_000_000  # in all; ours have some ten thousand
DEEPEST = 16  # messages within messages; ours have six

# Fields that are messages in their turn, by the numbers that onnx.proto gives them; everything else is skipped.
_MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 8: "operator set", 14: "entry"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
}


def read_description(content: bytes, source: object) -> dict[str, str]:
    """A model's metadata, key -> text, as the file has them.

    content: of the file
    source:  its name, for messages
    Raises ModelError for what is no ONNX file, and for one that asks for anything outside of itself: external data,
    operators of other domains than ai.onnx, functions; also loops, and graphs for training.
    """
    if content[4:8] == _ORT:
        raise ModelError(f"{source} is no ONNX file but has onnxruntime's own format; give one from `rdi export`")
    reader = _Reader(content)
    try:
        reader.read("model", 0, len(content), 0)
    except ValueError as error:
        raise ModelError(f"{source} is no ONNX file, or damaged ({error}); give one from `rdi export`") from error
    if reader.refused:
        raise ModelError(f"{source} is refused: {reader.refused}; rdi runs files from `rdi export` only")
    return reader.description


class _Reader:
    """Walks through a file; `refused` says why it may not be run, "" where it may."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.description: dict[str, str] = {}
        self.refused = ""
        self._fields = 0
        self._look: Mapping[str, Callable[[Field], None]] = {
            "model": self._model,
            "operator set": self._operator_set,
            "node": self._node,
            "tensor": self._tensor,
        }

    def read(self, kind: str, start: int, end: int, depth: int) -> None:
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} messages within messages")
        fields = split(self.content, start, end)
        self._fields += len(fields)
        if self._fields > MOST_FIELDS:
            raise ValueError(f"more than {MOST_FIELDS:,} fields")
        if kind == "entry":
            return self._entry(fields)
        look, messages = self._look.get(kind), _MESSAGES.get(kind, {})
        for field in fields:
            if look:
                look(field)
            if field[0] in messages and field[1] == BYTES:
                self.read(messages[field[0]], field[3], field[4], depth + 1)
        return None

    def _model(self, field: Field) -> None:
        if field[0] == 20:
            self.refused = "it holds a graph for training"
        elif field[0] == 25:
            self.refused = "it holds functions of its own"

    def _operator_set(self, field: Field) -> None:
        if field[0] == 1:
            self._require_standard(field)

    def _node(self, field: Field) -> None:
        if field[0] == 7:
            self._require_standard(field)
        elif field[0] == 4 and (name := self._text(field)) in ENDLESS:
            self.refused = f"it has a loop (operator {name}), which need not end"

    def _tensor(self, field: Field) -> None:
        number, kind, _, value, _ = field
        if number == 13 or (number == 14 and (kind != NUMBER or read_number(self.content, value)[0])):
            self.refused = "it has external data, in other files or places"

    def _require_standard(self, field: Field) -> None:
        if (domain := self._text(field)) not in STANDARD:
            self.refused = f"it uses operators of the domain {domain[:60]!r}, not of ai.onnx alone"

    def _entry(self, fields: list[Field]) -> None:
        texts = {field[0]: self._text(field) for field in fields}
        key = texts.get(1, "")
        if key in self.description:
            raise ValueError(f"its metadata name {key[:60]!r} twice")
        self.description[key] = texts.get(2, "")

    def _text(self, field: Field) -> str:
        return self.content[field[3] : field[4]].decode()
