"""Camera files: `RawPhoto` and everything that reads, aligns or writes one."""

from rdi.camera.cfa import Cfa
from rdi.camera.photo import Frame, RawPhoto, align

__all__ = ["Cfa", "Frame", "RawPhoto", "align"]
