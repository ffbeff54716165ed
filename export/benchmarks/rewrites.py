"""What each rewrite of the deployment form gains: the network's own layers before and after it, in ONNX Runtime.

A pair holds two modules that compute the same numbers from the same tensors; a test says so. They are exported as the
network is, and run in turn with the runtime's own session settings. What a pair gains says what the rewrite is worth
alone; the gains do not add up, because within the network neighbours share layouts and memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdi.export.deployment import deploy
from rdi.export.deployment.borders import BorderCorrection, add_edges
from rdi.export.deployment.channels import dense_weight, merge_groups, split_inputs, split_shuffled_inputs
from rdi.export.deployment.convolution import Convolution, bias_of, same, total
from rdi.export.deployment.encoders import GROUPS, STEP, DeployedDenseBlock, DeployedHigher
from rdi.export.deployment.network import LOWER
from rdi.export.deployment.phases import PHASES, PhaseConvolution
from rdi.export.deployment.picture import TILE, assemble, quantise, tile_order
from rdi.export.deployment.pixels import composed, composed_bias, gathering, in_tiles, over_blocks, over_pixels
from rdi.network import RestorationNetwork, activate, fold_weight_norm, plain_network, shuffle_channels

Shape = tuple[int, int]  # channels, and of how many mosaic pixels (across and down) there is one

MOSAIC: Shape = (1, 1)
EIGHTH: Shape = (64, 8)


class Steps(nn.Module):
    """A function of tensors as a module that owns the layers it uses: what the exporter takes."""

    def __init__(self, compute: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.compute = compute

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the function makes of them."""
        return self.compute(*inputs)


@dataclass(frozen=True, eq=False)
class Rewrite:
    """A pair of modules.

    name:          as docs/deployment.md has it
    before, after: from the same tensors to the same numbers
    inputs:        shape of each tensor, float32
    sizes_open:    `before` is `after` in a session that does not know the frame's size
    """

    name: str
    before: nn.Module
    after: nn.Module
    inputs: Sequence[Shape] = (MOSAIC,)
    sizes_open: bool = False


def rewrites() -> Iterator[Rewrite]:
    """Every rewrite, on random weights of the network's own sizes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = plain_network(fold_weight_norm(RestorationNetwork()))
    with torch.no_grad():
        yield gathered(network)
        yield strided(network)
        yield skipped_rows(network)
        yield split_concatenation(network)
        yield folded_shuffle(network)
        yield merged_groups(network)
        yield composed_expansion(network)
        yield composed_lower(network)
        yield phases(network)
        yield rounded_first()
        yield assembled()
        whole = deploy(network)
        yield Rewrite("fixed sizes in the session", whole, whole, sizes_open=True)


def gathered(network: RestorationNetwork) -> Rewrite:
    """Space-to-depth as a one-hot convolution, before MSE's first convolution."""
    first, gather = network.medium.conv1, Convolution(gathering(2, 4), stride=(8, 8))
    return Rewrite(
        "unshuffle as a one-hot convolution",
        Steps(lambda x: first(F.pixel_unshuffle(F.pixel_unshuffle(x, 2), 4)), first),
        Steps(lambda x: first(gather(x)), first, gather),
    )


def strided(network: RestorationNetwork) -> Rewrite:
    """LSE's convolution on the mosaic's own pixels."""
    layer = network.lower.conv
    after = Convolution(over_pixels(layer.weight, 2), layer.bias, stride=(2, 2), padding=(4, 4, 4, 4))
    before = Steps(lambda x: layer(F.pixel_unshuffle(x, 2)), layer)
    return Rewrite("unshuffle, then a convolution", before, after)


def skipped_rows(network: RestorationNetwork) -> Rewrite:
    """HSE's first two convolutions, from the 1/8 tensor: one kernel that is mostly zeros, or four that skip them."""
    reduce, squeeze, higher = network.higher.reduce, network.higher.squeeze, DeployedHigher(network.higher)
    weight = over_blocks(over_pixels(dense_weight(reduce.weight, reduce.groups), 16), STEP)
    one = Convolution(weight, reduce.bias, stride=(STEP, STEP), padding=(STEP,) * 4)
    parts, squeezes = higher.reduce, higher.squeeze
    return Rewrite(
        "rows of zeros skipped by dilation",
        Steps(lambda x: squeeze(one(x)), one, squeeze),
        Steps(lambda x: total(s(r(x)) for r, s in zip(parts, squeezes, strict=True)), parts, squeezes),
        [EIGHTH],
    )


def split_concatenation(network: RestorationNetwork) -> Rewrite:
    """HSE's second dense block, at 1/32."""
    block = network.higher.blocks[1]
    return Rewrite("convolution of a concatenation", block, DeployedDenseBlock(block), [(64, 32)])  # type: ignore[arg-type]


def folded_shuffle(network: RestorationNetwork) -> Rewrite:
    """The first convolution of the merge, with the groups it was trained with."""
    layer = network.merge.reduce
    parts = [
        Convolution(part, bias, padding=same(3), groups=layer.groups)
        for part, bias in zip(split_shuffled_inputs(layer.weight), (layer.bias, None), strict=True)
    ]
    return Rewrite(
        "channel shuffle before a grouped convolution",
        Steps(lambda a, b: layer(shuffle_channels(torch.cat((a, b), dim=1), groups=2)), layer),
        Steps(lambda a, b: total(part(x) for part, x in zip(parts, (a, b), strict=True)), *parts),
        [EIGHTH, EIGHTH],
    )


def merged_groups(network: RestorationNetwork) -> Rewrite:
    """MSE's part of the same convolution, between its neighbours: four groups of 8 outputs, or two of 16."""
    layer, first, last = network.merge.reduce, network.medium.conv2, network.merge.expand
    weight, _ = split_shuffled_inputs(layer.weight)
    before = Convolution(weight, padding=same(3), groups=layer.groups)
    after = Convolution(merge_groups(weight, layer.groups, GROUPS), padding=same(3), groups=GROUPS)
    return Rewrite(
        "fewer groups, of 16 channels",
        Steps(lambda x: last(before(first(x))), first, before, last),
        Steps(lambda x: last(after(first(x))), first, after, last),
        [EIGHTH],
    )


def composed_expansion(network: RestorationNetwork) -> Rewrite:
    """HSE's last convolution, then its part of the merge's first."""
    first, layer = network.higher.expand, network.merge.reduce
    second = dense_weight(split_shuffled_inputs(layer.weight)[1], layer.groups)
    then = Convolution(second, layer.bias, padding=same(3))
    bias = composed_bias(bias_of(first), second, bias_of(layer))
    both = Convolution(composed(first.weight, second), bias, padding=same(5))
    correction = BorderCorrection(first.weight, bias_of(first), second)
    return Rewrite(
        "HSE's last convolution, then the merge's first",
        Steps(lambda x: then(first(x)), first, then),
        Steps(lambda x: add_edges(both(x), correction(x)), both, correction),
        [(4, 8)],
    )


def composed_lower(network: RestorationNetwork) -> Rewrite:
    """LSE's convolution, then its part of the last one; both in tiles of the gathered mosaic."""
    lower, gather = network.lower.conv, Convolution(gathering(4), stride=(TILE, TILE))
    weight, _ = split_inputs(network.output.weight, [LOWER, network.output.weight.shape[1] - LOWER])
    first = over_pixels(lower.weight, 2)  # (12, 1, 10, 10), stride 2
    tiled = over_blocks(in_tiles(first, 2, 2), TILE)
    separate = Convolution(tiled, bias_of(lower).repeat_interleave(4), padding=same(3))
    then = Convolution(over_blocks(in_tiles(weight, 2), 2), padding=same(3))
    bias = composed_bias(bias_of(lower), weight, torch.zeros(weight.shape[0])).repeat_interleave(4)
    both = Convolution(over_blocks(in_tiles(composed(first, weight, 2), 2, 2), TILE), bias, padding=same(5))
    correction = BorderCorrection(first, bias_of(lower), in_tiles(weight, 2), stride=2, tile=2)
    return Rewrite(
        "LSE's convolution, then the last one",
        Steps(lambda x: then(separate(gather(x))), gather, separate, then),
        Steps(lambda x: add_edges(both(gather(x)), correction(x)), gather, both, correction),
    )


def phases(network: RestorationNetwork) -> Rewrite:
    """The merge's last convolution and its part of the network's last one, to the finished picture."""
    expand, weight = network.merge.expand, network.output.weight[:, LOWER:]
    last = Convolution(weight, padding=same(5))
    outputs = torch.arange(expand.weight.shape[0]).reshape(-1, 2, 2, 2, 2)  # channel; phase, place: twice
    expands = [
        Convolution(expand.weight[chosen], bias_of(expand)[chosen], padding=same(3))
        for chosen in (outputs[:, row, :, column].flatten() for row, column in PHASES)
    ]
    on_phases = PhaseConvolution(over_blocks(in_tiles(weight, 2), 2)[tile_order()])

    def at_half(x: Tensor) -> Tensor:
        half = F.pixel_shuffle(activate(expand(x)), 4)
        picture: Tensor = quantise(F.pixel_shuffle(last(half), 2))
        return picture.permute(0, 2, 3, 1)

    def by_phase(x: Tensor) -> Tensor:
        features = [activate(part(x)) for part in expands]
        return assemble([quantise(tile) for tile in on_phases(features, [None] * len(PHASES))])

    before, after = Steps(at_half, expand, last), Steps(by_phase, *expands, on_phases)
    return Rewrite("last convolution at half resolution", before, after, [(32, 8)])


def rounded_first() -> Rewrite:
    """The picture put together from floats, or from integers."""
    return Rewrite(
        "shuffle of floats, then rounding",
        Steps(lambda *tiles: quantise(assemble(tiles))),
        Steps(lambda *tiles: assemble([quantise(tile) for tile in tiles])),
        [(48, 8)] * len(PHASES),
    )


def assembled() -> Rewrite:
    """Both from integers: one transposition of seven axes, or three passes of kinds that run on all cores."""

    def at_once(*tiles: Tensor) -> Tensor:
        height, width = tiles[0].shape[2:]
        split = torch.stack([quantise(tile) for tile in tiles]).view(2, 2, TILE, TILE, 3, height, width)
        return split.permute(5, 0, 2, 6, 1, 3, 4).reshape(1, height * 2 * TILE, width * 2 * TILE, 3)

    return Rewrite(
        "one transposition of seven axes",
        Steps(at_once),
        Steps(lambda *tiles: assemble([quantise(tile) for tile in tiles])),
        [(48, 8)] * len(PHASES),
    )
