"""The restoration network (paper, section 3 and figure 2), in PyTorch.

A one-channel Bayer mosaic goes in, an sRGB picture comes out. Three encoders look at the same mosaic at 1/2, 1/8 and
1/32 of its size; almost all of the arithmetic happens at the two small scales, which is what makes the network fast.

| part | scale | layers |
|---|---|---|
| LSE, lower-scale encoder | 1/2 | unshuffle 2, conv 5x5 4 -> 12 |
| MSE, medium-scale encoder | 1/8 | unshuffle 4, residual block of two conv 3x3 64 -> 64 |
| HSE, higher-scale encoder | 1/32 | unshuffle 16, grouped conv, conv, three residual dense blocks, shuffle 4, conv |
| merge | 1/8 | concatenate, channel shuffle, grouped conv 128 -> 32, conv 32 -> 192, shuffle 4 |
| output | 1/2 -> 1 | concatenate, conv 5x5 24 -> 12, shuffle 2, clamp |

Every convolution carries weight normalisation while it trains; `fold_weight_norm` gives the plain network.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

PARAMETERS = 784_768  # with weight normalisation
PARAMETERS_FOLDED = 783_432  # one weight tensor for each convolution
SIZE_MULTIPLE = 32  # height and width of the mosaic
LEAKY_SLOPE = 0.2


def conv(
    channels_in: int,
    channels_out: int,
    kernel: int,
    *,
    groups: int = 1,
    bias: bool = True,
    slope: float = 1.0,
) -> nn.Conv2d:
    """A "same" convolution, MSRA-initialised for the slope of the activation around it, weight-normalised.

    slope: 0.2 for a LeakyReLU, 1 for none (the gain of Kaiming's normal initialisation)
    """
    layer = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, groups=groups, bias=bias)
    # Initialise before wrapping: afterwards `weight` is computed, and an in-place change of it is lost silently.
    nn.init.kaiming_normal_(layer.weight, a=slope, mode="fan_in", nonlinearity="leaky_relu")
    weight_norm(layer)
    return layer


def activate(x: Tensor) -> Tensor:
    """LeakyReLU with the paper's slope of 0.2."""
    return F.leaky_relu(x, LEAKY_SLOPE)


def shuffle_channels(x: Tensor, groups: int) -> Tensor:
    """Interleave the channel groups (B, C, H, W), so that a grouped convolution sees all of them."""
    batch, channels, height, width = x.shape
    return x.view(batch, groups, channels // groups, height, width).transpose(1, 2).reshape(x.shape)


class ResidualDenseBlock(nn.Module):
    """The paper's modified residual dense block: 64 channels in and out, growth 32.

    Each dense layer's output is concatenated after its own, un-activated input. The activation stands before the
    convolution, and only in the middle layers; the first and the last convolution take the concatenation as it is.
    """

    def __init__(self, layers: int, channels: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.dense = nn.ModuleList(
            conv(channels + i * growth, growth, 3, bias=False, slope=1.0 if i == layers - 1 else LEAKY_SLOPE)
            for i in range(layers)
        )
        self.fuse = conv(channels + layers * growth, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        features = x
        last = len(self.dense) - 1
        for i, layer in enumerate(self.dense):
            dense = layer(activate(features) if 0 < i < last else features)
            features = torch.cat((features, dense), dim=1)
        out: Tensor = self.fuse(features) + x
        return out


class LowerScaleEncoder(nn.Module):
    """LSE: full detail, one convolution at half resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(4, 12, 5)

    def forward(self, mosaic_by_2: Tensor) -> Tensor:
        out: Tensor = self.conv(mosaic_by_2)  # (B, 12, H/2, W/2)
        return out


class MediumScaleEncoder(nn.Module):
    """MSE: one residual block at 1/8."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = conv(64, 64, 3, slope=LEAKY_SLOPE)
        self.conv2 = conv(64, 64, 3)

    def forward(self, mosaic_by_2: Tensor) -> Tensor:
        x = F.pixel_unshuffle(mosaic_by_2, 4)  # (B, 64, H/8, W/8)
        out: Tensor = self.conv2(activate(self.conv1(x))) + x
        return out


class HigherScaleEncoder(nn.Module):
    """HSE: context and denoising at 1/32, handed back at 1/8."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce = conv(1024, 128, 3, groups=128)
        self.squeeze = conv(128, 64, 3)
        self.blocks = nn.ModuleList(ResidualDenseBlock(layers) for layers in (4, 5, 5))
        self.fuse = conv(3 * 64, 64, 1, bias=False)
        self.expand = conv(4, 64, 3)

    def forward(self, mosaic_by_2: Tensor) -> Tensor:
        # One unshuffle by 16: two successive ones by 4 would order the channels differently.
        x = self.reduce(F.pixel_unshuffle(mosaic_by_2, 16))  # (B, 128, H/32, W/32)
        shallow = self.squeeze(x)  # (B, 64, H/32, W/32)
        deep, outputs = shallow, []
        for block in self.blocks:
            deep = block(deep)
            outputs.append(deep)
        fused = self.fuse(torch.cat(outputs, dim=1)) + shallow
        out: Tensor = self.expand(F.pixel_shuffle(fused, 4))  # (B, 64, H/8, W/8)
        return out


class Merge(nn.Module):
    """Bring MSE and HSE together at 1/8 and go up to half resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce = conv(128, 32, 3, groups=4)
        self.expand = conv(32, 192, 3, slope=LEAKY_SLOPE)

    def forward(self, medium: Tensor, higher: Tensor) -> Tensor:
        x = shuffle_channels(torch.cat((medium, higher), dim=1), groups=2)
        x = activate(self.expand(self.reduce(x)))  # (B, 192, H/8, W/8)
        return F.pixel_shuffle(x, 4)  # (B, 12, H/2, W/2)


class RestorationNetwork(nn.Module):
    """The whole network: (B, 1, H, W) float32 mosaic -> (B, 3, H, W) float32 sRGB.

    The mosaic is black-subtracted, divided by (white - black), multiplied by the amplification (and by the
    white-balance gains, for a model trained so), RGGB-phased, not clipped above; H and W are multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lower = LowerScaleEncoder()
        self.medium = MediumScaleEncoder()
        self.higher = HigherScaleEncoder()
        self.merge = Merge()
        self.output = conv(24, 12, 5)

    def forward(self, mosaic: Tensor) -> Tensor:
        """The restored picture, in [0, 1]."""
        return self.unclamped(mosaic).clamp(0.0, 1.0)

    def unclamped(self, mosaic: Tensor) -> Tensor:
        """The picture before the clamp: what a loss must see, or saturated pixels would have no gradient."""
        x = F.pixel_unshuffle(mosaic, 2)  # (B, 4, H/2, W/2)
        merged = self.merge(self.medium(x), self.higher(x))
        out = self.output(torch.cat((self.lower(x), merged), dim=1))
        return F.pixel_shuffle(out, 2)  # (B, 3, H, W)


def fold_weight_norm(network: nn.Module) -> "OrderedDict[str, Tensor]":
    """The plain weights of a weight-normalised network: one `weight` for each gain and direction, values unchanged.

    Returns a state dict, so that the network passed in stays as it is: a folded deep copy would share (and break) the
    class that weight normalisation generates for each layer.
    """
    folded: OrderedDict[str, Tensor] = OrderedDict()
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            folded[f"{name}.weight"] = module.weight.detach().clone()
            if module.bias is not None:
                folded[f"{name}.bias"] = module.bias.detach().clone()
    return folded


def plain_network(weights: "OrderedDict[str, Tensor]") -> RestorationNetwork:
    """A network without weight normalisation from `fold_weight_norm`'s weights, ready for inference and export."""
    network = RestorationNetwork()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.utils.parametrize.remove_parametrizations(module, "weight")
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
