"""Where a session's operators run: a provider may load, stand in the session's list and still run none of them."""

from dataclasses import dataclass
from typing import Any

from rdi.errors import ProviderError
from rdi.runtime.providers import Provider

RECORD = "session.record_ep_graph_assignment_info"  # session setting; without it onnxruntime forgets who took what
LEAST = 0.5  # share of the work that a provider must run to be called used


@dataclass(frozen=True)
class Placement:
    """How much of a network a provider runs itself; onnxruntime's CPU runs the rest.

    operators, all_operators:       of the graph, fused ones as onnxruntime counts them
    convolutions, all_convolutions: among them; nearly all of the time goes there
    """

    operators: int
    all_operators: int
    convolutions: int
    all_convolutions: int

    @property
    def share(self) -> float:
        """Of the work, 0 to 1: of the convolutions, or of all operators where the graph has none."""
        if self.all_convolutions:
            return self.convolutions / self.all_convolutions
        return self.operators / max(1, self.all_operators)

    def describe(self) -> str:
        """For people: `114 of 114 convolutions, 385 of 402 operators`."""
        parts = [(self.convolutions, self.all_convolutions, "convolutions")] if self.all_convolutions else []
        parts.append((self.operators, self.all_operators, "operators"))
        return ", ".join(f"{mine} of {total} {name}" for mine, total, name in parts)


def placement_of(session: Any, provider: Provider) -> Placement:
    """Count what a provider runs in a session that was made with the setting `RECORD`.

    Raises ProviderError for an onnxruntime that is too old to say.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):
        raise ProviderError(
            f"provider {provider} cannot be used: this onnxruntime cannot say what runs where; install 1.24 or newer"
        )
    taken = [
        (part.ep_name == provider.onnx_name, "Conv" in node.op_type)
        for part in session.get_provider_graph_assignment_info()
        for node in part.get_nodes()
    ]
    return Placement(
        operators=sum(mine for mine, _ in taken),
        all_operators=len(taken),
        convolutions=sum(mine and conv for mine, conv in taken),
        all_convolutions=sum(conv for _, conv in taken),
    )


def require_placed(session: Any, provider: Provider) -> None:
    """Refuse a session whose provider leaves most of the network to onnxruntime's CPU: ProviderError."""
    placement = placement_of(session, provider)
    if placement.share < LEAST:
        raise ProviderError(
            f"provider {provider} cannot be used: it loads, but runs only {placement.describe()} of this model and "
            "leaves the rest to the CPU; use the provider cpu, which is faster then"
        )
