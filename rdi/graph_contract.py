"""The graph contract: what every model file takes and gives. `export` writes by it, `runtime` reads by it.

The types are spelled as ONNX Runtime spells them; `docs/graph.md` says what each value means.
"""

from rdi.metadata import Rendering

# In the order of the graph's inputs; all but the mosaic have defaults in the file.
INPUTS = {
    "mosaic": "tensor(uint16)",
    "black_level": "tensor(float)",
    "white_level": "tensor(float)",
    "gains": "tensor(float)",
    "amplification": "tensor(float)",
    "m": "tensor(float)",
}
# Further ones, with defaults too, of a model whose output is camera RGB (rendering "camera").
CAMERA_INPUTS = {"camera_to_srgb": "tensor(float)", "gamut_compression": "tensor(float)"}
WITH_DEFAULTS = (*tuple(INPUTS)[1:], *CAMERA_INPUTS)
OUTPUTS = {"rgb": "tensor(uint16)", "amplification_used": "tensor(float)"}
SIZE_NAMES = ("height", "width")  # of the mosaic and of the picture: what a session can fix


def inputs_of(rendering: Rendering) -> dict[str, str]:
    """Name and type of each input of a model with this rendering, in their order."""
    return INPUTS | (CAMERA_INPUTS if rendering is Rendering.CAMERA else {})
