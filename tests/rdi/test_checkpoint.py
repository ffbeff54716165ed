"""Weights on disk: back as they were, refused when damaged, and nothing executed."""

import pickle

import pytest
import torch

from rdi.amplifier import MConvention
from rdi.checkpoint import load_checkpoint, load_published, published_layers, save_checkpoint, weights_digest
from rdi.errors import CheckpointError, OutputError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.network import RestorationNetwork, fold_weight_norm


@pytest.fixture
def network():
    torch.manual_seed(2)
    return RestorationNetwork().eval()


@pytest.fixture
def published_file(tmp_path, network):
    """Random weights in the form in which the paper's authors publish theirs."""
    ours = {name: layer for layer, name in published_layers().items()}
    model = {}
    for name, tensor in network.state_dict().items():
        layer, _, kind = name.replace(".parametrizations.weight", "").rpartition(".")
        model[f"{ours[layer]}.{kind.replace('original0', 'weight_g').replace('original1', 'weight_v')}"] = tensor
    torch.save({"model": model}, tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path, network):
    metadata = ModelMetadata(variant="mine", m=2.0, white_balance=WhiteBalance.BAKED, training={"steps": 7})
    save_checkpoint(network, metadata, tmp_path / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert loaded.metadata == metadata.replace(weights_sha256=weights_digest(network))
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], tensor)
    assert not loaded.network.training
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_hash_sees_a_single_weight(network):
    before = weights_digest(network)
    with torch.no_grad():
        network.lower.conv.bias[3] += 1e-6
    assert weights_digest(network) != before


def test_a_damaged_checkpoint_is_refused(tmp_path, network):
    file = tmp_path / "a.safetensors"
    save_checkpoint(network, ModelMetadata(), file)
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[-5000] ^= 0x10
    for content, reason in [
        (bytes(flipped), "hash"),
        (whole[: len(whole) // 2], "safetensors"),
        (b"", "safetensors"),
        (b"hello" * 100, "safetensors"),
    ]:
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match=reason):
            load_checkpoint(file)


def test_a_foreign_or_missing_checkpoint_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="not written by rdi"):
        load_checkpoint(tmp_path / "foreign.safetensors")
    save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors", metadata=ModelMetadata().to_strings())
    with pytest.raises(CheckpointError, match="does not hold the weights"):
        load_checkpoint(tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_published_checkpoint_loads_through_the_name_map(published_file, network):
    checkpoint = load_published(published_file)
    for name, tensor in fold_weight_norm(network).items():
        assert torch.equal(fold_weight_norm(checkpoint.network)[name], tensor)
    assert checkpoint.metadata.white_balance is WhiteBalance.BAKED
    assert checkpoint.metadata.m_convention is MConvention.AFTER_CLIP


def test_a_published_checkpoint_never_runs_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("executed",))

    for content in ({"model": Evil()}, Evil()):
        torch.save(content, tmp_path / "evil.pth")
        with pytest.raises(CheckpointError, match="without running code"):
            load_published(tmp_path / "evil.pth")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"model": {}}))
    with pytest.raises(CheckpointError):
        load_published(tmp_path / "plain.pkl")


def test_other_networks_checkpoints_are_refused(tmp_path):
    for content, reason in [
        ({"weights": {}}, "no entry 'model'"),
        ({"model": {"conv9.weight": torch.zeros(1)}}, "conv9"),
    ]:
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(CheckpointError, match=reason):
            load_published(tmp_path / "other.pth")
    torch.save({"model": {"conv2x.0.bias": torch.zeros(12)}}, tmp_path / "part.pth")
    with pytest.raises(CheckpointError, match="does not hold"):
        load_published(tmp_path / "part.pth")


def test_the_name_map_covers_every_layer_once():
    layers = {name for name, module in RestorationNetwork().named_modules() if isinstance(module, torch.nn.Conv2d)}
    assert sorted(published_layers().values()) == sorted(layers)


def test_a_disk_that_is_full_is_one_error_and_leaves_nothing(network, tmp_path):
    resource = pytest.importorskip("resource")  # a limit of the process on sizes of files, in place of a full disk
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*weights.safetensors: .*; make room"):
            save_checkpoint(network, ModelMetadata(), tmp_path / "weights.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
