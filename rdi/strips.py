"""How a frame is cut into strips: what the graphs that export writes and the runtime that feeds them agree on.

A frame (H, W) goes through three graphs, which together are the network:

| graph | from | to |
|---|---|---|
| `reduce` | `mosaic` (1, 1, 32 (k + 2), W), `inside` (k + 2,), strip after strip | `reduced` (1, 128, k, W/32) |
| `context` | `reduced` (1, 128, H/32, W/32), the whole frame's | `features` (1, 4, H/8, W/8) |
| `restore` | `mosaic` (1, 1, 8 (n + 10), W), `features` (1, 4, n + 8, W/8), strip after strip | `rgb` (1, 8 n, W, 3) |

`restore` of a network whose output is camera RGB also takes `camera_to_srgb` and `gamut_compression`, as the whole
network's graph does.

Each strip comes with the rows around it that its result looks at. Beyond the frame, `reduce` sees no light, as the
whole network does: `inside` is 1 for 32 rows of the frame and 0 for 32 beyond it, whose counts do not matter. `restore`
must not look beyond the frame: so the outermost rows of a frame cannot be restored in strips. The runtime puts mirrored
pixels around every frame and crops them off again; where these are 40 rows or more, all rows of the photo can.
"""

from enum import StrEnum
from pathlib import Path

SUFFIX = ".strips.zip"  # of the file beside the model
FORMAT = "rdi-strips-2"
MANIFEST = "manifest.json"  # format, OWNERS, terms, sha256 of each graph
OWNERS = ("weights_sha256", "precision", "curve")  # by which strips are found to be a model's own
UNSAID = {"curve": "bt709"}  # what a manifest means that says nothing of it

REDUCE_ROWS = 32  # mosaic rows for one row of `reduced`
REDUCE_HALO = 1  # of these, on each side of a strip
BLOCK = 8  # mosaic rows for one row of `features`, and a strip's height is a multiple of it
HALO = 5  # blocks of mosaic on each side of a strip
FEATURE_HALO = 4  # rows of `features` on each side
REDUCED_CHANNELS = 128
FEATURES = 4

LEVELS = ("black_level", "white_level", "factor")  # inputs of both that see the mosaic; factor: amplification * gains


class Part(StrEnum):
    """The three graphs; `NAME.onnx` in the file."""

    REDUCE = "reduce"
    CONTEXT = "context"
    RESTORE = "restore"

    @property
    def file_name(self) -> str:
        """Within the zip file."""
        return f"{self}.onnx"


def strip_path(model: Path) -> Path:
    """Where a model's strips lie: `rdi.strips.zip` beside `rdi.onnx`."""
    return model.with_name(model.stem + SUFFIX)
