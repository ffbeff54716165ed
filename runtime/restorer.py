"""`Restorer`: raw photos in, bright upright pictures out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import MARGIN, Frame, RawPhoto, align
from rdi.errors import ModelError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.models import shipped_model
from rdi.runtime.exposure import Amplification, Exposure, choose_amplification
from rdi.runtime.fallback import Chosen, choose_provider
from rdi.runtime.model import open_model
from rdi.runtime.orientation import upright
from rdi.runtime.package import first_line, session_errors
from rdi.runtime.providers import Provider, parse_provider
from rdi.runtime.sessions import Sessions, run_session

Picture = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored picture.

    image:         (H, W, 3) uint16, 0 to 65535, upright, in the model's curve and sRGB primaries; a view where the
                   frame was padded or turned, so copy it before keeping many
    amplification: what the photo was amplified with, and why
    timings:       milliseconds by stage: exposure, align, session, network
    provider:      what ran the network
    model:         what the model says of itself
    exif:          the photo's EXIF block (TIFF bytes), for whoever writes the picture; b"" where it had none
    white_balance: gains of red, green and blue that were used; None where the model has its own baked in
    white_balance_from: camera, daylight, auto, gains, or model where it is baked in
    fallback:      why the provider is not the one that was asked for; None where it is
    """

    image: Picture
    amplification: Amplification
    timings: Mapping[str, float]
    provider: Provider
    model: ModelMetadata
    exif: bytes = b""
    white_balance: tuple[float, ...] | None = None
    white_balance_from: str = "camera"
    fallback: str | None = None


class Restorer:
    """Restores raw photos with one model on one provider; make one and use it for many photos.

    model:    an ONNX file from `rdi export`; by default the one that ships with rdi
    provider: cpu, cuda, openvino, tensorrt, coreml or dml; used or refused, never silently replaced
    threads:  on the CPU, 1 to 4 for each CPU; by default the physical cores this process may use
    device:   of openvino CPU (its default), GPU or GPU.1; of cuda, tensorrt and dml the number of the GPU
    allow_fallback: take the cpu where the provider cannot be used, with a warning on stderr and in `fallback`

    Raises ModelError for a file that is not ours, ProviderError for a provider that cannot be used, UsageError for
    threads or a device out of range and MissingPackageError without onnxruntime.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        provider: Provider | str = Provider.CPU,
        threads: int | None = None,
        device: str | None = None,
        allow_fallback: bool = False,
    ) -> None:
        opened, asked = open_model(model or shipped_model()), parse_provider(provider)
        chosen = choose_provider(opened, asked, device, threads) if allow_fallback else Chosen(asked, device)
        self._sessions = Sessions(opened, chosen.provider, threads, chosen.device)
        self.fallback = chosen.reason

    @property
    def model(self) -> ModelMetadata:
        """What the model says of itself."""
        return self._sessions.model.metadata

    @property
    def provider(self) -> Provider:
        """What runs the network."""
        return self._sessions.provider

    @property
    def note(self) -> str:
        """What is amiss with this model on this provider, though it works; "" where nothing is."""
        return self.model.precision.note if self.provider is Provider.CPU else ""

    @property
    def threads(self) -> int:
        """Threads that the network gets on the CPU."""
        return self._sessions.threads

    def restore(self, photo: RawPhoto, exposure: Exposure | None = None) -> Restored:
        """Restore one photo; by default with Exposure() (auto).

        Raises UnsupportedMosaicError where the photo's CFA does not fit the model.
        """
        return next(self.restore_bracket(photo, exposure))

    def restore_bracket(
        self, photo: RawPhoto, exposure: Exposure | None = None, stops: Sequence[float] = (0.0,)
    ) -> Iterator[Restored]:
        """Restore one photo several times, each so many stops brighter than the exposure chosen (0: as chosen).

        The photo is aligned and its exposure chosen once: every picture names the time of both, and its own network's.
        Raises what `restore` does.
        """
        stages = Stopwatch()
        with stages.measure("align"):
            frame = align(photo, self.model.cfa, self.model.size_multiple, MARGIN)
        with stages.measure("exposure"):
            chosen = choose_amplification(photo, self.model, exposure or Exposure())
        with stages.measure("session"):
            session = self._sessions.get(*frame.mosaic.shape)
        for ev in stops:
            yield self._restored(photo, frame, session, chosen.scaled(ev), stages.timings)  # no name keeps it here

    def _restored(
        self, photo: RawPhoto, frame: Frame, session: object, amplification: Amplification, before: Mapping[str, float]
    ) -> Restored:
        stages = Stopwatch()
        with stages.measure("network"):
            padded = _run(session, self._inputs(frame, photo, amplification))
        image = upright(np.asarray(frame.crop(padded), dtype=np.uint16), photo.orientation)
        return Restored(
            image,
            amplification,
            MappingProxyType({**before, **stages.timings}),
            self.provider,
            self.model,
            photo.exif,
            tuple(photo.white_balance.tolist()) if self._balances else None,
            photo.white_balance_from if self._balances else "model",
            self.fallback,
        )

    @property
    def _balances(self) -> bool:
        """Whether the model applies the photo's white balance."""
        return self.model.white_balance is WhiteBalance.INPUT

    def _inputs(self, frame: Frame, photo: RawPhoto, amplification: Amplification) -> dict[str, NDArray[np.generic]]:
        """The graph's inputs. Scalars are 0-d arrays: onnxruntime takes neither numbers nor (1,) here."""
        return {
            "mosaic": frame.mosaic[None, None],
            "black_level": frame.black_level.astype(np.float32),
            "white_level": np.array(photo.white_level, dtype=np.float32),
            "gains": (frame.gains if self._balances else np.ones_like(frame.gains)).astype(np.float32),
            "amplification": np.array(amplification.value, dtype=np.float32),
        }


class Stopwatch:
    """Wall-clock milliseconds by stage, in the order in which they first ran."""

    def __init__(self) -> None:
        self._timings: dict[str, float] = {}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add what the block takes to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._timings[stage] = self._timings.get(stage, 0.0) + (time.perf_counter() - start) * 1000

    @property
    def timings(self) -> Mapping[str, float]:
        """Stage -> milliseconds."""
        return MappingProxyType(dict(self._timings))


def _run(session: object, inputs: dict[str, NDArray[np.generic]]) -> Picture:
    """(1, 1, H, W) mosaic and its levels -> (H, W, 3) uint16."""
    try:
        picture: Picture = run_session(session, inputs, "rgb")[0]
    except session_errors() as error:
        raise ModelError(f"the network failed on this frame ({first_line(error)}); is there enough memory?") from error
    return picture
