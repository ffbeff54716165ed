"""Weights on disk: safetensors with the model's own description, and the paper's published checkpoints."""

import hashlib
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rdi.amplifier import MConvention
from rdi.atomic import atomic_path
from rdi.errors import CheckpointError, ModelError
from rdi.metadata import BelowBlack, ModelMetadata, WhiteBalance
from rdi.network import RestorationNetwork, fold_weight_norm
from rdi.regular_file import require_regular
from rdi.weights_header import read_weights_header

# Layer names of the published checkpoint -> ours; `{i}` counts dense layers.
_PUBLISHED = {
    "conv2x.0": "lower.conv",
    "resblock8x.conv1.0": "medium.conv1",
    "resblock8x.conv2.0": "medium.conv2",
    "conv32x.0.0": "higher.reduce",
    "conv32x.1.0": "higher.squeeze",
    "rdball.0": "higher.fuse",
    "conv_rdb8x.0": "higher.expand",
    "conv32_8_cat.0.0": "merge.reduce",
    "conv32_8_cat.1.0": "merge.expand",
    "conv_2_8_32.0": "output",
}
LARGEST_PUBLISHED = 1 << 30  # bytes of a .pth file, packed and unpacked; the published ones have a few million
# What safetensors and torch raise for files that break their rules.
_UNREADABLE = (SafetensorError, OSError, ValueError, TypeError, RuntimeError, MemoryError, OverflowError)

_PUBLISHED_BLOCKS = {"RDB1": 4, "RDB2": 5, "RDB3": 5}  # dense layers of each


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network (with weight normalisation, in evaluation mode) and what it says of itself."""

    network: RestorationNetwork
    metadata: ModelMetadata


def save_checkpoint(network: RestorationNetwork, metadata: ModelMetadata, path: Path) -> None:
    """Write weights and description to a safetensors file, whole or not at all."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    metadata = metadata.replace(weights_sha256=weights_digest(network))
    write_tensors(state, path, metadata.to_strings())


def write_tensors(tensors: dict[str, Tensor], path: Path, strings: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all; raises OutputError where that fails, such as on a full disk."""
    with atomic_path(path) as temporary:
        # Not `save_file`: it writes another temporary file of its own, which a kill leaves for good.
        temporary.write_bytes(save(tensors, metadata=strings))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a safetensors file written by `rdi train`.

    Raises CheckpointError for a file that is missing, damaged, foreign or made for another network.
    """
    if not path.exists():
        raise CheckpointError(f"{path} does not exist; give a .safetensors file that `rdi train` wrote")
    header = read_weights_header(path)
    try:
        metadata = ModelMetadata.from_strings(header.metadata, str(path))
        _require_shapes(header.shapes, path)  # before memory is taken for what a header claims
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except ModelError as error:
        raise CheckpointError(str(error)) from error
    except _UNREADABLE as error:
        raise CheckpointError(f"{path} is no readable safetensors file ({error}); give one from `rdi train`") from error
    network = _network_from(state, path)
    if weights_digest(network) != metadata.weights_sha256:
        raise CheckpointError(f"{path} is damaged: its weights do not match the hash beside them")
    return Checkpoint(_usable(network, path), metadata)


def load_published(path: Path) -> Checkpoint:
    """Read a checkpoint in the form that the paper's authors publish: `["model"]` with weight_g and weight_v.

    Nothing in it is executed (`weights_only`). Their demo multiplies by m after the clip and has the balance baked in.
    """
    try:
        require_regular(path, LARGEST_PUBLISHED, "published checkpoint")
        _require_unpacked(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch wonders about foreign pickle protocols before it refuses them
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist; give the .pth file of the paper's repository") from error
    except Exception as error:  # an unpickler that meets other bytes raises whatever they lead it to
        raise CheckpointError(
            f"{path} is no checkpoint that loads without running code; give the .pth file of the paper's repository"
        ) from error
    model = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(model, Mapping):
        raise CheckpointError(f"{path} has no entry 'model'; give a checkpoint of the paper's repository")
    names = published_layers()
    renamed = {}
    for key, tensor in model.items():
        layer, _, kind = str(key).rpartition(".")
        if layer not in names:
            raise CheckpointError(f"{path} holds an unknown layer {layer!r}; it was made for another network")
        renamed[f"{names[layer]}.{kind}"] = tensor
    metadata = ModelMetadata(
        variant="paper",
        white_balance=WhiteBalance.BAKED,
        below_black=BelowBlack.CUT,
        m=1.0,
        m_convention=MConvention.AFTER_CLIP,
        licence="non-commercial (the authors' terms)",
    )
    return Checkpoint(_usable(_network_from(renamed, path), path), metadata)


def published_layers() -> dict[str, str]:
    """Published layer name -> ours, for all 27 convolutions."""
    names = dict(_PUBLISHED)
    for block, (published, layers) in enumerate(_PUBLISHED_BLOCKS.items()):
        for i in range(layers):
            # Their first dense layer has no activation module before its convolution.
            names[f"{published}.dense_layers.{i}.conv.{min(i, 1)}"] = f"higher.blocks.{block}.dense.{i}"
        names[f"{published}.conv_1x1.0"] = f"higher.blocks.{block}.fuse"
    return names


def weights_digest(network: RestorationNetwork) -> str:
    """SHA-256 over the folded weights, in the order of their names: what an exported graph computes with."""
    digest = hashlib.sha256()
    for name, tensor in sorted(fold_weight_norm(network).items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def _require_shapes(found: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Raise CheckpointError unless a file holds the tensors of this network, and these alone."""
    with torch.device("meta"):
        wanted = {name: tuple(tensor.shape) for name, tensor in RestorationNetwork().state_dict().items()}
    differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if differing:
        raise CheckpointError(
            f"{path} does not hold the weights of this network: {len(differing)} tensors are missing, unknown or of "
            f"another shape, such as {differing[0][:80]!r}; give a file from `rdi train`"
        )


def _require_unpacked(path: Path) -> None:
    """Raise ValueError for a zip file that is small on the disk and huge in memory."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST_PUBLISHED:
                raise ValueError("it unpacks to more than a checkpoint can have")


def _network_from(state: Mapping[str, Tensor], path: Path) -> RestorationNetwork:
    network = RestorationNetwork()
    try:
        network.load_state_dict(dict(state))
    except (RuntimeError, TypeError, AttributeError) as error:  # the latter for what only looks like a tensor
        raise CheckpointError(f"{path} does not hold the weights of this network: {_first_lines(error)}") from error
    return network.eval()


def _usable(network: RestorationNetwork, path: Path) -> RestorationNetwork:
    """The network; CheckpointError where one of its weights is no finite number: every picture would be lost."""
    for name, tensor in fold_weight_norm(network).items():
        if not tensor.isfinite().all():
            raise CheckpointError(
                f"{path} cannot be used: {name} holds values that are no numbers; give weights of an earlier step"
            )
    return network


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
