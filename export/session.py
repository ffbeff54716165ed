"""ONNX Runtime as a verification needs it: any provider, any size, all inputs by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.errors import ModelError
from rdi.export.frames import Mosaic, Settings
from rdi.graph_contract import SIZE_NAMES
from rdi.metadata import ModelMetadata
from rdi.runtime.package import first_line, import_onnxruntime, session_errors
from rdi.runtime.providers import parse_provider, require_built_in
from rdi.runtime.sessions import make_session
from rdi.runtime.threads import choose_threads

Picture = NDArray[np.uint16]
Inputs = dict[str, NDArray[np.float32]]


class GraphSession:
    """One session of a model, made as rdi's runtime makes its own: same settings, same refusals.

    content:  the file's bytes
    provider: as rdi names it: cpu, cuda, ...
    size:     (height, width) to fix, as rdi's runtime does; None leaves them open, as others do
    Raises ProviderError for a provider that cannot be used, ModelError for a file that ONNX Runtime cannot load.
    """

    def __init__(self, content: bytes, provider: str = "cpu", size: tuple[int, int] | None = None) -> None:
        wanted = parse_provider(provider)
        require_built_in(wanted)
        sizes = dict(zip(SIZE_NAMES, size, strict=True)) if size else None
        try:
            self._session: Any = make_session(content, wanted, choose_threads(None), sizes)
        except session_errors() as error:
            raise ModelError(f"ONNX Runtime cannot load the model on {provider}: {first_line(error)}") from error
        strings = self._session.get_modelmeta().custom_metadata_map
        self._rendering = ModelMetadata.from_strings(strings, "the model").rendering

    def run(self, mosaic: Mosaic, inputs: Inputs | None = None) -> tuple[Picture, float]:
        """(H, W) mosaic and any of the other inputs -> picture (H, W, 3) uint16, amplification used."""
        rgb, used = self._session.run(None, {"mosaic": mosaic[None, None], **(inputs or {})})
        return rgb[0], float(used)

    def estimate(self, mosaic: Mosaic, settings: Settings, m: float) -> float:
        """The graph's own amplification of a (H, W) mosaic, without running the network."""
        feed = self._feed(settings, amplification=0.0, m=m)
        options = import_onnxruntime().RunOptions()
        options.only_execute_path_to_fetches = True
        (used,) = self._session.run(["amplification_used"], {"mosaic": mosaic[None, None], **feed}, options)
        return float(used)

    def run_with(self, mosaic: Mosaic, settings: Settings, **inputs: float) -> tuple[Picture, float]:
        """`run` with levels and gains from `settings`, and `amplification` or `m`."""
        return self.run(mosaic, self._feed(settings, **inputs))

    def _feed(self, settings: Settings, **scalars: float) -> Inputs:
        given = {name: np.array(value, dtype=np.float32) for name, value in scalars.items()}
        return settings.inputs(self._rendering) | given
