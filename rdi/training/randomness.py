"""The random generators of this process: begun from a seed, saved and restored as tensors.

Samples draw from generators of their own; these are for whatever else may draw.
"""

import json
import random

import numpy as np
import torch
from torch import Tensor


def seed_all(seed: int) -> None:
    """Begin Python's, numpy's and PyTorch's from one seed, 0 or more."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_tensors() -> dict[str, Tensor]:
    """The states of the random generators of Python, numpy and PyTorch (CPU and every GPU)."""
    python = json.dumps(random.getstate()).encode()
    name, keys, *numbers = np.random.get_state(legacy=True)
    numpy = json.dumps([name, np.asarray(keys).tolist(), *numbers]).encode()
    states = {
        "random.python": torch.frombuffer(bytearray(python), dtype=torch.uint8),
        "random.numpy": torch.frombuffer(bytearray(numpy), dtype=torch.uint8),
        "random.torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states |= {f"random.cuda{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def restore_random(tensors: dict[str, Tensor]) -> None:
    """Set the generators to what `random_tensors` saw; GPUs that are not here are passed over."""
    version, keys, cached = json.loads(bytes(tensors["random.python"].numpy()))
    random.setstate((version, tuple(keys), cached))
    name, keys, *numbers = json.loads(bytes(tensors["random.numpy"].numpy()))
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *numbers))
    torch.set_rng_state(tensors["random.torch"])
    for i in range(torch.cuda.device_count()):
        if f"random.cuda{i}" in tensors:
            torch.cuda.set_rng_state(tensors[f"random.cuda{i}"], i)
