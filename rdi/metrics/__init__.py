"""How good a restored picture is: against a reference (PSNR, SSIM), and by itself (NIQE, Ma).

PSNR and SSIM need numpy only; scipy (the `eval` extra) is loaded where the other two use it.
"""

from rdi.metrics.fidelity import psnr
from rdi.metrics.similarity import ssim

__all__ = ["psnr", "ssim"]
