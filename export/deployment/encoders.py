"""The encoders at 1/8 and 1/32 of the mosaic, and their merge, without a shuffle or a concatenation."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdi.export.deployment.borders import BorderCorrection, add_edges
from rdi.export.deployment.channels import dense_weight, merge_groups, split_inputs, split_shuffled_inputs
from rdi.export.deployment.convolution import Convolution, Padding, bias_of, same, total
from rdi.export.deployment.phases import PHASES
from rdi.export.deployment.pixels import composed, composed_bias, over_blocks, over_pixels
from rdi.network import HigherScaleEncoder, MediumScaleEncoder, Merge, ResidualDenseBlock, activate

STEP = 4  # pixels of the 1/8 tensor for one of the 1/32 tensor
GROUPS = 2  # of a grouped convolution with 32 outputs: onnxruntime's fast kernels want 16 for each group


def unchanged(layer: nn.Conv2d) -> Convolution:
    """A layer as it is."""
    return Convolution(layer.weight, layer.bias, padding=same(layer.kernel_size[0]), groups=layer.groups)


class DeployedMedium(nn.Module):
    """MSE: the mosaic's pixels (B, 64, H/8, W/8) -> (B, 64, H/8, W/8)."""

    def __init__(self, trained: MediumScaleEncoder) -> None:
        super().__init__()
        self.conv1 = unchanged(trained.conv1)
        self.conv2 = unchanged(trained.conv2)

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.conv2(activate(self.conv1(pixels))) + pixels
        return out


class DeployedDenseBlock(nn.Module):
    """A residual dense block that concatenates nothing: each layer sums one convolution for each earlier feature."""

    def __init__(self, trained: ResidualDenseBlock) -> None:
        super().__init__()
        dense = [layer.weight for layer in trained.dense if isinstance(layer, nn.Conv2d)]
        sizes = [dense[0].shape[1], *(weight.shape[0] for weight in dense)]
        self.dense = nn.ModuleList(
            nn.ModuleList(Convolution(part, padding=same(3)) for part in split_inputs(weight, sizes[: i + 1]))
            for i, weight in enumerate(dense)
        )
        self.fuse = nn.ModuleList(Convolution(part) for part in split_inputs(trained.fuse.weight, sizes))

    def forward(self, x: Tensor) -> Tensor:
        features, activated = [x], [activate(x)]
        last = len(self.dense) - 1
        for i, layers in enumerate(self.dense):
            seen = activated if 0 < i < last else features
            assert isinstance(layers, nn.ModuleList)
            features.append(total(layer(feature) for layer, feature in zip(layers, seen, strict=True)))
            if i < last - 1:
                activated.append(activate(features[-1]))
        return total((layer(feature) for layer, feature in zip(self.fuse, features, strict=True)), x)


class DeployedHigher(nn.Module):
    """HSE but its last convolution, which the merge does: the mosaic's pixels (B, 64, H/8, W/8) -> (B, 4, H/8, W/8)."""

    def __init__(self, trained: HigherScaleEncoder) -> None:
        super().__init__()
        rows = [outputs_of_row(row) for row in range(STEP)]
        reduce = over_blocks(over_pixels(dense_weight(trained.reduce.weight, trained.reduce.groups), 16), STEP)
        self.reduce = nn.ModuleList(
            reading_every_fourth_row(reduce[outputs], bias_of(trained.reduce)[outputs], row)
            for row, outputs in enumerate(rows)
        )
        self.squeeze = nn.ModuleList(
            Convolution(trained.squeeze.weight[:, outputs], trained.squeeze.bias if row == 0 else None, padding=same(3))
            for row, outputs in enumerate(rows)
        )
        self.blocks = nn.ModuleList(DeployedDenseBlock(block) for block in trained.blocks)  # type: ignore[arg-type]
        channels = trained.fuse.weight.shape[0]
        self.fuse = nn.ModuleList(
            Convolution(part) for part in split_inputs(trained.fuse.weight, [channels] * len(self.blocks))
        )

    def forward(self, pixels: Tensor) -> Tensor:
        return self.deepened(self.reduced(pixels))

    def reduced(self, pixels: Tensor) -> list[Tensor]:
        """(B, 64, H/8, W/8) -> four of (B, 32, H/32, W/32)."""
        return [reduce(pixels) for reduce in self.reduce]

    def deepened(self, reduced: Sequence[Tensor]) -> Tensor:
        """Four of (B, 32, H/32, W/32) -> (B, 4, H/8, W/8)."""
        shallow = total(squeeze(part) for squeeze, part in zip(self.squeeze, reduced, strict=True))
        deep, fused = shallow, shallow
        for block, fuse in zip(self.blocks, self.fuse, strict=True):
            deep = block(deep)
            fused = fuse(deep) + fused
        return F.pixel_shuffle(fused, STEP)  # a sixteenth of the mosaic: the shuffle costs nothing here


def outputs_of_row(row: int) -> Tensor:
    """Which of HSE's first 128 outputs look at this of every four rows of the 1/8 tensor: (32,), in their order.

    Output (colour site, row p of 16, half of the row) sees 8 pixels of one row; p / 4 is a row of the 1/8 tensor.
    """
    return torch.arange(128).reshape(4, STEP, STEP, 2)[:, row].flatten()


def reading_every_fourth_row(weight: Tensor, bias: Tensor, row: int) -> Convolution:
    """A convolution whose kernel (32, 64, 12, 12), stride 4, is zero but in rows `row`, `row` + 4, `row` + 8.

    Dilation skips the other nine. The outputs of two colour sites need only the channels of these two.
    """
    per_group = weight.shape[0] // GROUPS, weight.shape[1] // GROUPS
    grouped = [
        weight[i * per_group[0] : (i + 1) * per_group[0], i * per_group[1] : (i + 1) * per_group[1], row::STEP]
        for i in range(GROUPS)
    ]
    padding = (STEP, STEP, STEP - row, row + 1)
    return Convolution(
        torch.cat(grouped), bias, stride=(STEP, STEP), dilation=(STEP, 1), padding=padding, groups=GROUPS
    )


class DeployedMerge(nn.Module):
    """MSE's (B, 64, H/8, W/8) and HSE's (B, 4, H/8, W/8) -> the four phases, at 1/4, of the half-resolution features.

    HSE's last convolution and the part of the first one here that looks at it are one. A phase holds 2x2 of the
    half-resolution pixels as channels: (B, 48, H/8, W/8), in the order of `pixel_unshuffle`.
    """

    def __init__(self, higher: nn.Conv2d, trained: Merge) -> None:
        super().__init__()
        groups = trained.reduce.groups
        of_medium, of_higher = split_shuffled_inputs(trained.reduce.weight)
        self.medium = Convolution(merge_groups(of_medium, groups, GROUPS), padding=same(3), groups=GROUPS)
        second = dense_weight(of_higher, groups)
        bias = composed_bias(bias_of(higher), second, bias_of(trained.reduce))
        self.higher = Convolution(composed(higher.weight, second), bias, padding=same(5))
        self.correction = BorderCorrection(higher.weight, bias_of(higher), second)
        outputs = torch.arange(trained.expand.weight.shape[0]).reshape(-1, 2, 2, 2, 2)  # channel; phase, place: twice
        self.expand = nn.ModuleList(
            Convolution(trained.expand.weight[chosen], bias_of(trained.expand)[chosen], padding=same(3))
            for chosen in (outputs[:, row, :, column].flatten() for row, column in PHASES)
        )

    def forward(self, medium: Tensor, higher: Tensor) -> list[Tensor]:
        return self.expanded(add_edges(total((self.higher(higher), self.medium(medium))), self.correction(higher)))

    def expanded(self, x: Tensor, padding: Padding | None = None) -> list[Tensor]:
        """(B, 32, H/8, W/8) -> the four phases; `padding` replaces the usual one."""
        return [activate(expand(x, padding)) for expand in self.expand]
