"""What half precision costs: checks of files that do not hold the trained network to the bit."""

import numpy as np
import torch

from rdi.checkpoint import Checkpoint
from rdi.export.frames import PATTERNS, mosaic_of
from rdi.export.picture_checks import PSNR_CHECK, SEED, all_cases, camera_levels, psnr_of
from rdi.export.reference import Reference
from rdi.export.report import Check
from rdi.levels import to_light
from rdi.metadata import Precision

BRIGHTEST = 300.0  # amplification of a frame with pixels at the white level: the amplifier's limit
SIZE = (96, 128)


def check_psnr(checkpoint: Checkpoint, precision: Precision, least: float) -> Check:
    """How near pictures in half precision come to those of the network as it was trained, both in PyTorch.

    Over all frames of the comparison, dB, white being 1; what the file itself computes is another check. PyTorch rounds
    after every operation, as a GPU does; onnxruntime's CPU provider rounds less often and would flatter the precision.
    """
    trained, half = Reference(checkpoint), Reference(checkpoint, precision)
    squares, values = 0.0, 0
    for size, cases in all_cases(checkpoint.metadata.cfa):
        for case in cases:
            given = case.mosaic(size, checkpoint.metadata.cfa), case.settings, case.amplification
            error = trained.picture(*given).astype(np.float64) - half.picture(*given)
            squares += float((error**2).sum())
            values += error.size
    return Check(PSNR_CHECK, psnr_of(squares, values), least, "dB", at_least=True)


def check_overflow(checkpoint: Checkpoint) -> Check:
    """Frames that reach the white level, amplified as far as the amplifier goes: 65504 is the largest half."""
    cfa = checkpoint.metadata.cfa
    settings = camera_levels(cfa)[0]
    half = Reference(checkpoint, Precision.FP16_COMPUTE)
    lost = 0
    for pattern in PATTERNS.values():
        signal = pattern(*SIZE, np.random.default_rng(SEED))
        mosaic = mosaic_of(signal / signal.max(), settings, cfa, 1.0)
        kind = checkpoint.metadata.below_black, checkpoint.metadata.companding
        light = to_light(mosaic, cfa, settings.black_level, settings.white_level, BRIGHTEST, settings.gains, *kind)
        lost += int((~half.unclamped(torch.from_numpy(light)[None, None]).isfinite()).sum())
    return Check("overflow in half precision", lost, 0, "values that are no numbers")
