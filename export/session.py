"""ONNX Runtime as a verification needs it: any provider, any size, all inputs by name."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rdi.errors import ModelError, ProviderError
from rdi.export.frames import Mosaic, Settings

Picture = NDArray[np.uint16]
Inputs = dict[str, NDArray[np.float32]]


class GraphSession:
    """One session of a model.

    content:  the file's bytes
    provider: as rdi names it: cpu, cuda, ...
    size:     (height, width) to fix, as rdi's runtime does; None leaves them open, as others do
    Raises ProviderError for a provider that is not here, ModelError for a file that ONNX Runtime cannot load.
    """

    def __init__(self, content: bytes, provider: str = "cpu", size: tuple[int, int] | None = None) -> None:
        name = provider_name(provider)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # it warns about each input that has a default
        if size is not None:
            options.add_free_dimension_override_by_name("height", size[0])
            options.add_free_dimension_override_by_name("width", size[1])
        # TF32 has ten bits of mantissa: no comparison with float32 would pass.
        settings = {"use_tf32": "0"} if provider == "cuda" else {}
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=[(name, settings)])
        except Exception as error:  # its exceptions share no base class
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"ONNX Runtime cannot load the model on {provider}: {reason}") from error
        if name not in self._session.get_providers():
            raise ProviderError(f"provider {provider} did not load; `rdi doctor` shows what this computer can use")

    def run(self, mosaic: Mosaic, inputs: Inputs | None = None) -> tuple[Picture, float]:
        """(H, W) mosaic and any of the other inputs -> picture (H, W, 3) uint16, amplification used."""
        rgb, used = self._session.run(None, {"mosaic": mosaic[None, None], **(inputs or {})})
        return rgb[0], float(used)

    def estimate(self, mosaic: Mosaic, settings: Settings, m: float) -> float:
        """The graph's own amplification of a (H, W) mosaic, without running the network."""
        feed = _feed(settings, amplification=0.0, m=m)
        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True
        (used,) = self._session.run(["amplification_used"], {"mosaic": mosaic[None, None], **feed}, options)
        return float(used)

    def run_with(self, mosaic: Mosaic, settings: Settings, **inputs: float) -> tuple[Picture, float]:
        """`run` with levels and gains from `settings`, and `amplification` or `m`."""
        return self.run(mosaic, _feed(settings, **inputs))


def _feed(settings: Settings, **scalars: float) -> Inputs:
    values = {"black_level": settings.black_level, "white_level": settings.white_level, "gains": settings.gains}
    return {name: np.asarray(value, dtype=np.float32) for name, value in (values | scalars).items()}


def provider_name(provider: str) -> str:
    """ONNX Runtime's name of a provider: cpu -> CPUExecutionProvider; ProviderError lists what is there."""
    names = onnxruntime.get_available_providers()
    known = {str(name).removesuffix("ExecutionProvider").lower(): str(name) for name in names}
    if provider.lower() not in known:
        raise ProviderError(f"provider {provider!r} is not in this onnxruntime; it has: {', '.join(sorted(known))}")
    return known[provider.lower()]
