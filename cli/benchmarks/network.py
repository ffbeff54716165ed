"""The weights that a benchmark of the network's parts runs with."""

from typing import TYPE_CHECKING

from rdi.cli.benchmarks.request import Request

if TYPE_CHECKING:
    from rdi.network import RestorationNetwork


def given_network(request: Request) -> "RestorationNetwork":
    """Those of --checkpoint, or those that ship with rdi; without weight normalisation."""
    from rdi.checkpoint import load_checkpoint
    from rdi.models import shipped_model
    from rdi.network import fold_weight_norm, plain_network

    path = request.checkpoint or shipped_model().with_suffix(".safetensors")
    return plain_network(fold_weight_norm(load_checkpoint(path).network))
