"""How good a restored picture is: against a reference (PSNR, SSIM), and by itself (NIQE, Ma).

Importing it loads numpy only; scikit-image and scipy (the `eval` extra) are loaded where they are used.
"""

from rdi.metrics.fidelity import psnr, ssim

__all__ = ["psnr", "ssim"]
