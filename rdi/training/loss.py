"""The training loss (paper, section 3.3): 0.8 * L1 + 0.2 * (1 - MS-SSIM)."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rdi.training.choices import PixelLoss

L1_SHARE = 0.8
WHITE = 0.999  # code value from which on a target may have been clipped

# Wang, Simoncelli, Bovik 2003: Gaussian window, weights of the scales, constants for data in [0, 1].
WINDOW, SIGMA = 11, 1.5
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
C1, C2 = 0.01**2, 0.03**2
TILE = 64  # rows of a banded matrix that are multiplied at a time

SMALLEST_CROP = (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1)  # exclusive: the coarsest scale must hold one window


def restoration_loss(restored: Tensor, target: Tensor) -> Tensor:
    """The paper's: 0.8 * L1 + 0.2 * (1 - MS-SSIM), a scalar; see `weighted_loss`."""
    return weighted_loss(restored, target, PixelLoss.L1, L1_SHARE, 1 - L1_SHARE)


def weighted_loss(
    restored: Tensor,
    target: Tensor,
    pixel_loss: PixelLoss,
    pixel_weight: float,
    structure_weight: float,
    grain_weight: float = 0.0,
) -> Tensor:
    """pixel_weight * L1 (or L2) + structure_weight * (1 - MS-SSIM) + grain_weight * (1 - finest), a scalar.

    `finest` is MS-SSIM's contrast-structure term at full size. MS-SSIM itself gives it a weight of 0.04, and L1 hardly
    feels faint grain in an even area, which an eye sees first.

    restored: (B, 3, H, W) float32 before the clamp, so that pixels beyond white or black still have a gradient in the
              pixel loss; MS-SSIM sees it clamped
    target:   (B, 3, H, W) float32 in [0, 1]; where it is white, the scene may have been brighter, and nothing is lost
              by whatever lies beyond: pressed down to white, small lamps got dark rims
    """
    loss = restored.new_zeros(())
    if pixel_weight:
        distance = F.l1_loss if pixel_loss is PixelLoss.L1 else F.mse_loss
        loss = loss + pixel_weight * distance(up_to_white(restored, target), target)
    if structure_weight or grain_weight:
        similarity, finest = similarities(restored.clamp(0, 1), target)
        loss = loss + structure_weight * (1 - similarity) + grain_weight * (1 - finest)
    return loss


def up_to_white(restored: Tensor, target: Tensor) -> Tensor:
    """What is too bright only counts where the target is not white itself."""
    return torch.where((target >= WHITE) & (restored > target), target, restored)


def ms_ssim(picture: Tensor, target: Tensor) -> Tensor:
    """Multi-scale SSIM; see `similarities`."""
    return similarities(picture, target)[0]


def similarities(picture: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Multi-scale SSIM, mean over batch and channels: the same number as pytorch_msssim.ms_ssim, several times as fast.
    And the mean of its contrast-structure term at full size.

    There the loss costs more than the network. What leaves the value as it is: the Gaussian window runs as a matrix
    product with a banded matrix (convolutions of a single channel are slow on CPUs), the two variances are filtered as
    one map, since SSIM only knows their sum, and the gradient is written out (`_Structure`) instead of recorded
    operation by operation. Tested against pytorch_msssim.

    picture, target: (B, C, H, W) float32 in [0, 1], sides above 160; the gradient flows to `picture` only
    """
    a, b = picture.flatten(0, 1), target.detach().flatten(0, 1)
    scores = []
    for scale in range(len(SCALE_WEIGHTS)):
        if scale:
            odd = [side % 2 for side in a.shape[-2:]]
            a, b = F.avg_pool2d(a, 2, padding=odd), F.avg_pool2d(b, 2, padding=odd)
        if scale < len(SCALE_WEIGHTS) - 1:
            score: Tensor = _Structure.apply(a, b)  # type: ignore[no-untyped-call]
        else:
            structure, luminance = _ssim_maps(a, b)
            score = (structure * luminance).mean((-2, -1))
        scores.append(score.relu())
    weights = torch.tensor(SCALE_WEIGHTS, device=picture.device)[:, None]
    return torch.stack(scores).pow(weights).prod(dim=0).mean(), scores[0].mean()


class _Structure(torch.autograd.Function):
    """Mean of the contrast-structure term of each map, (N, H, W) -> (N,); a gradient for the first argument only.

    With the blurred maps mu_a, mu_b, P = blur(a*a + b*b), Q = blur(a*b) the term is s = (2 (Q - mu_a mu_b) + C2) / d,
    d = P - mu_a^2 - mu_b^2 + C2. Its derivatives are 2 / d by Q, -s / d by P and 2 (s mu_a - mu_b) / d by mu_a; the
    transposed blur takes them back to a.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        rows, columns = (_band(side, a.device) for side in a.shape[-2:])
        mean_b = _banded(b, rows, columns)
        maps = a.new_empty((3, *a.shape))
        maps[0] = a
        torch.mul(a, a, out=maps[1]).addcmul_(b, b)
        torch.mul(a, b, out=maps[2])
        mean_a, denominator, structure = _banded(maps.flatten(0, 1), rows, columns).chunk(3)
        denominator.addcmul_(mean_a, mean_a, value=-1).addcmul_(mean_b, mean_b, value=-1).add_(C2)
        structure.addcmul_(mean_a, mean_b, value=-1).mul_(2).add_(C2).div_(denominator)
        ctx.save_for_backward(a, b, mean_a, mean_b, denominator, structure)
        score: Tensor = structure.mean((-2, -1))
        return score

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        a, b, mean_a, mean_b, denominator, structure = ctx.saved_tensors
        share = gradients[0][:, None, None] / structure[0].numel()
        maps = a.new_empty((3, *structure.shape))
        by_product = torch.div(2 * share, denominator, out=maps[2])
        torch.mul(structure, by_product, out=maps[1]).mul_(-0.5)
        torch.mul(structure, mean_a, out=maps[0]).sub_(mean_b).mul_(by_product)
        rows, columns = (_band(side, a.device).T for side in a.shape[-2:])
        by_mean, by_power, by_product = _banded(maps.flatten(0, 1), rows, columns).chunk(3)
        return by_mean.addcmul_(a, by_power, value=2).addcmul_(b, by_product), None


def _ssim_maps(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Contrast-structure and luminance terms of SSIM, (N, H - 10, W - 10) each."""
    mean_b = _blur(b)
    mean_a, power, product = _blur(torch.stack((a, a * a + b * b, a * b)))
    means, powers = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    structure = (2 * (product - means) + C2) / (power - powers + C2)
    return structure, (2 * means + C1) / (powers + C1)


def _blur(maps: Tensor) -> Tensor:
    """Gaussian window over the last two dimensions, without padding."""
    rows, columns = (_band(side, maps.device) for side in maps.shape[-2:])
    return rows @ maps @ columns.T


def _banded(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """rows @ maps @ columns.T for banded matrices, (N, H, W) -> (N, H', W'), without a gradient.

    On a CPU in tiles: beyond the band there are only zeros, and multiplying by them took half of the time.
    """
    count, height, width = maps.shape
    across = maps.new_empty((count * height, columns.shape[0]))
    flat = maps.reshape(count * height, width)
    for tile, reach in _tiles(columns):
        torch.mm(flat[:, reach], columns[tile, reach].T, out=across[:, tile])
    across = across.view(count, height, -1)
    out = maps.new_empty((count, rows.shape[0], columns.shape[0]))
    for tile, reach in _tiles(rows):
        band = rows[tile, reach]
        torch.bmm(band.expand(count, *band.shape), across[:, reach], out=out[:, tile])
    return out


def _tiles(matrix: Tensor) -> Iterator[tuple[slice, slice]]:
    """Rows of a banded matrix and the columns that they reach; all at once on a GPU, where launches cost more."""
    rows, columns = matrix.shape
    side = TILE if matrix.device.type == "cpu" else rows
    for begin in range(0, rows, side):
        end = min(begin + side, rows)
        yield (
            slice(begin, end),
            slice(max(begin + min(columns - rows, 0), 0), min(end + max(columns - rows, 0), columns)),
        )


@cache
def _band(side: int, device: torch.device) -> Tensor:
    """(side - 10, side) matrix: each row is the window, one pixel further."""
    offsets = torch.arange(side, device=device) - torch.arange(side - WINDOW + 1, device=device)[:, None]
    distance = offsets - WINDOW // 2
    window = torch.exp(-(distance**2) / (2 * SIGMA**2)) * (distance.abs() <= WINDOW // 2)
    return window / window.sum(dim=1, keepdim=True)
