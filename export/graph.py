"""The module that becomes the graph: levels, amplifier, gains and the network's deployment form in one forward pass."""

import torch
from torch import Tensor, nn

from rdi.checkpoint import Checkpoint
from rdi.companding import ROOT_OF_TOE, TOE
from rdi.export.amplifier import Amplifier
from rdi.export.deployment import deploy
from rdi.export.half import in_precision
from rdi.export.sites import Sites
from rdi.metadata import BelowBlack, Companding, ModelMetadata, Precision
from rdi.network import fold_weight_norm, plain_network


class RestorationGraph(nn.Module):
    """Raw mosaic in, picture out; the graph contract, in `forward`'s arguments and results.

    mosaic:         (1, 1, H, W) uint16, as the sensor counted, in the phase that the metadata name
    black_level:    (sites,) float32 DN, in raster order of the CFA
    white_level:    float32 scalar, DN
    gains:          (sites,) float32 white-balance gains; ones for a model with the balance baked in
    amplification:  float32 scalar; above 0 it is used as it is, else the amplifier estimates it
    m:              float32 scalar, enters the estimate only
    camera_to_srgb: for a network whose output is camera RGB, and for no other: (3, 3) float32, from white-balanced
                    linear camera RGB to linear sRGB
    gamut_compression: likewise; float32 scalar in [0, 1], how much of `rdi.gamut` is done
    returns:        rgb (1, H, W, 3) uint16, amplification used (float32 scalar)
    """

    def __init__(self, network: nn.Module, metadata: ModelMetadata, computes_in: torch.dtype = torch.float32) -> None:
        """network: (1, 1, H, W) of type `computes_in`, how to render -> (1, H, W, 3) uint16, as `deploy` makes it."""
        super().__init__()
        self.network = network
        self.computes_in = computes_in
        self.below_black, self.companding = metadata.below_black, metadata.companding
        self.sites = Sites(metadata.cfa)
        self.amplifier = Amplifier(metadata.cfa, metadata.m_convention)

    def forward(
        self,
        mosaic: Tensor,
        black_level: Tensor,
        white_level: Tensor,
        gains: Tensor,
        amplification: Tensor,
        m: Tensor,
        camera_to_srgb: Tensor | None = None,
        gamut_compression: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The picture and the amplification used; see the class."""
        used = self.choose(mosaic, black_level, white_level, amplification, m)
        x = self.normalise(mosaic, black_level, white_level, gains * used)
        return self.network(x, *given(camera_to_srgb, gamut_compression)), used

    def choose(
        self, mosaic: Tensor, black_level: Tensor, white_level: Tensor, amplification: Tensor, m: Tensor
    ) -> Tensor:
        """The given amplification, or the estimate; an ONNX `If`, so that a given one costs nothing."""

        def given(_mosaic: Tensor, _black: Tensor, _white: Tensor, amplification: Tensor, _m: Tensor) -> Tensor:
            return amplification.clone()  # the operand itself may not leave a branch

        def estimated(mosaic: Tensor, black: Tensor, white: Tensor, _amplification: Tensor, m: Tensor) -> Tensor:
            result: Tensor = self.amplifier(mosaic, black, white, m)
            return result

        operands = (mosaic, black_level, white_level, amplification, m)
        used: Tensor = torch.cond(amplification > 0, given, estimated, operands)
        return used

    def normalise(self, mosaic: Tensor, black_level: Tensor, white_level: Tensor, factor: Tensor) -> Tensor:
        """x = (mosaic - black) / (white - black) * factor, at least 0 or its root for a network trained so.

        factor:  (sites,)

        returns: (1, 1, H, W), worked out in float32, in the type that the network computes in
        """
        black = self.sites.tile(black_level, mosaic)
        scale = self.sites.tile(factor / (white_level - black_level), mosaic)
        above_black = self.sites.view(mosaic).to(torch.float32) - black
        if self.below_black is BelowBlack.CUT:
            above_black = torch.relu(above_black)
        x = above_black * scale
        if self.companding is Companding.ROOT:
            x = x / (torch.sqrt(x.abs() + TOE) + ROOT_OF_TOE)
        return x.view(mosaic.shape).to(self.computes_in)


def given(*inputs: Tensor | None) -> list[Tensor]:
    """Those of a graph's inputs that its model has."""
    return [value for value in inputs if value is not None]


def graph_of(checkpoint: Checkpoint, precision: Precision = Precision.FP32) -> RestorationGraph:
    """The module that is exported for a checkpoint: its network in the deployment form, and its rules."""
    network = in_precision(deploy(plain_network(fold_weight_norm(checkpoint.network)), checkpoint.metadata), precision)
    computes_in = torch.float16 if precision is Precision.FP16_COMPUTE else torch.float32
    return RestorationGraph(network, checkpoint.metadata, computes_in).eval()
