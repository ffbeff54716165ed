from dataclasses import dataclass

import pytest

from rdi.errors import ProviderError
from rdi.runtime.placement import Placement, placement_of, require_placed
from rdi.runtime.providers import Provider

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@dataclass
class Node:
    op_type: str


@dataclass
class Part:
    ep_name: str
    nodes: list[Node]

    def get_nodes(self) -> list[Node]:
        return self.nodes


class Session:
    """What onnxruntime says of where a graph runs."""

    def __init__(self, **operators: str) -> None:
        """operators: provider -> its operators, separated by blanks."""
        self.parts = [Part(ep, [Node(kind) for kind in names.split()]) for ep, names in operators.items()]

    def get_provider_graph_assignment_info(self) -> list[Part]:
        return self.parts


def test_operators_and_convolutions_are_counted_by_provider() -> None:
    session = Session(**{CUDA: "FusedConv Conv Add", CPU: "Shape Conv"})
    assert placement_of(session, Provider.CUDA) == Placement(3, 5, 2, 3)
    assert placement_of(session, Provider.CUDA).describe() == "2 of 3 convolutions, 3 of 5 operators"


def test_a_graph_without_convolutions_is_judged_by_its_operators() -> None:
    placement = placement_of(Session(**{CUDA: "Add Mul Mul", CPU: "Shape"}), Provider.CUDA)
    assert placement.share == 0.75
    assert placement.describe() == "3 of 4 operators"


def test_a_provider_that_runs_nothing_is_refused_although_it_is_listed() -> None:
    with pytest.raises(ProviderError, match=r"it loads, but runs only 0 of 2 convolutions, 0 of 3 operators"):
        require_placed(Session(**{CPU: "Conv Conv Add"}), Provider.CUDA)


def test_a_provider_that_runs_little_is_refused_and_one_that_runs_most_is_used() -> None:
    with pytest.raises(ProviderError, match="1 of 4 convolutions"):
        require_placed(Session(**{CUDA: "Conv Add Add Add", CPU: "Conv Conv Conv"}), Provider.CUDA)
    require_placed(Session(**{CUDA: "Conv Conv Conv", CPU: "Conv Shape Shape Shape If"}), Provider.CUDA)


def test_an_onnxruntime_that_cannot_say_is_refused() -> None:
    with pytest.raises(ProviderError, match=r"install 1\.24 or newer"):
        placement_of(object(), Provider.COREML)
