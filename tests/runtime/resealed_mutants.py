"""Run by `test_hostile_models`, in a process of its own: mutants of a model that are sealed again, as malice would.

Prints what became of them as JSON. What is neither a picture nor a ModelError, such as a crash of onnxruntime, ends it.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from rdi.camera import Cfa, RawPhoto
from rdi.errors import ModelError, ProviderError
from rdi.runtime import Restorer
from rdi.seal import SEAL_BYTES, seal

PHOTO = RawPhoto(np.full((24, 40), 700, np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0)


def require_one_line(error: Exception) -> None:
    assert "\n" not in str(error), str(error)


def mutants(content: bytes, seed: int, count: int):
    """Bits flipped, bytes exchanged, pieces left out or doubled; of the part that is hashed."""
    generator = np.random.default_rng(seed)
    bare = content[:-SEAL_BYTES]
    for number in range(count):
        mutant = bytearray(bare)
        place, length = int(generator.integers(len(bare))), int(generator.integers(1, 16))
        if number % 4 == 0:
            mutant[place : place + length] = b""
        elif number % 4 == 1:
            mutant[place:place] = mutant[place : place + length]
        elif number % 4 == 2:
            mutant[place] = int(generator.integers(256))
        else:
            mutant[place] ^= 1 << int(generator.integers(8))
        yield seal(bytes(mutant))


def outcome(path: Path) -> str:
    """What comes of a model file; any other exception than rdi's own ends the process."""
    try:
        Restorer(path, threads=1).restore(PHOTO, 10)
    except (ModelError, ProviderError) as error:
        require_one_line(error)
        return type(error).__name__
    return "picture"


def main(model: str, seed: str, count: str) -> None:
    """model: path of a sealed model."""
    found = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutant.onnx"
        for number, content in enumerate(mutants(Path(model).read_bytes(), int(seed), int(count))):
            print(number, file=sys.stderr, flush=True)  # where a crash came from
            path.write_bytes(content)
            found[outcome(path)] += 1
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
