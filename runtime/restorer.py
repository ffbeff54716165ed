"""`Restorer`: raw photos in, bright upright pictures out."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from rdi.camera.photo import RawPhoto
from rdi.depth import Picture
from rdi.errors import UsageError
from rdi.metadata import ModelMetadata, Rendering
from rdi.models import shipped_model
from rdi.runtime.budget import ProcessLimit
from rdi.runtime.engine import Engine, Prepared
from rdi.runtime.exposure import Amplification, Exposure, as_exposure, choose_amplification
from rdi.runtime.fallback import Chosen, choose_provider
from rdi.runtime.gamut import Gamut, parse_gamut
from rdi.runtime.model import open_model
from rdi.runtime.providers import Provider, parse_provider
from rdi.runtime.sessions import Sessions


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored picture.

    image:         (H, W, 3) uint16, 0 to 65535, or uint8, 0 to 255, upright, in the model's curve and sRGB primaries;
                   with 16 bits it may be a view of a larger frame: copy it before keeping many
    amplification: what the photo was amplified with, and why
    timings:       milliseconds by stage: exposure, align, session, network
    provider:      what ran the network
    model:         what the model says of itself
    exif:          the photo's EXIF block (TIFF bytes), for whoever writes the picture; b"" where it had none
    white_balance: gains of red, green and blue that were used; None where the model has its own baked in
    white_balance_from: camera, daylight, auto, gains, or model where it is baked in
    in_strips:     whether a memory limit had it restored in strips
    fallback:      why the provider is not the one that was asked for; None where it is
    gamut:         compress or clip; None for a model whose output is the picture
    """

    image: Picture = field(repr=False)
    amplification: Amplification
    timings: Mapping[str, float]
    provider: Provider
    model: ModelMetadata = field(repr=False)
    exif: bytes = field(default=b"", repr=False)
    white_balance: tuple[float, ...] | None = None
    white_balance_from: str = "camera"
    in_strips: bool = False
    fallback: str | None = None
    gamut: str | None = None


class Restorer:
    """Restores raw photos with one model on one provider; make one and use it for many photos.

    model:    an ONNX file from `rdi export`; by default the one that ships with rdi
    provider: cpu, cuda, openvino, tensorrt, coreml or dml; used or refused, never silently replaced
    threads:  on the CPU, 1 to 4 for each CPU; by default the physical cores this process may use
    device:   of openvino CPU (its default), GPU or GPU.1; of cuda, tensorrt and dml the number of the GPU
    max_memory: bytes, or text such as "400MB", that a call of `restore` may add to what the process holds, the picture
              included; what needs more is restored in strips, to the same bytes. For the cpu provider; None: no limit
    gamut:    compress (colours that sRGB cannot show lose saturation) or clip (their channels are cut off); only for a
              model with rendering "camera"
    allow_fallback: take the cpu where the provider cannot be used, with a warning on stderr and in `fallback`

    Raises ModelError for a file that is not ours, ProviderError for a provider that cannot be used, UsageError for
    threads, a device or a limit out of range and MissingPackageError without onnxruntime.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        provider: Provider | str = Provider.CPU,
        threads: int | None = None,
        device: str | None = None,
        max_memory: int | str | None = None,
        gamut: Gamut | str = Gamut.COMPRESS,
        allow_fallback: bool = False,
    ) -> None:
        opened, asked = open_model(shipped_model() if model is None else model), parse_provider(provider)
        chosen = choose_provider(opened, asked, device, threads) if allow_fallback else Chosen(asked, device)
        sessions = Sessions(opened, chosen.provider, threads, chosen.device)
        self._engine = Engine(sessions, max_memory, parse_gamut(gamut))
        self.fallback = chosen.reason

    @property
    def model(self) -> ModelMetadata:
        """What the model says of itself."""
        return self._engine.metadata

    @property
    def provider(self) -> Provider:
        """What runs the network."""
        return self._engine.sessions.provider

    @property
    def note(self) -> str:
        """What is amiss with this model on this provider, though it works; "" where nothing is."""
        return self.model.precision.note if self.provider is Provider.CPU else ""

    @property
    def threads(self) -> int:
        """Threads that the network gets on the CPU."""
        return self._engine.sessions.threads

    def restore(self, photo: RawPhoto, exposure: Exposure | float | str | None = None, *, bits: int = 16) -> Restored:
        """Restore one photo.

        photo:    from `rdi.camera.read_photo` or, for a frame without a file, `rdi.camera.photo_from_array`
        exposure: an Exposure, "auto", "paper" or the amplification itself, 0.01 to 10000; by default auto
        bits:     per channel, 16 or 8

        Raises UsageError for anything else, UnsupportedMosaicError where the photo's CFA does not fit the model,
        MemoryLimitError for a limit that the photo cannot keep to (it names the smallest that works), ModelError where
        strips are needed and the model has none beside it.
        """
        return next(self.restore_bracket(photo, exposure, bits=bits))

    def restore_bracket(
        self,
        photo: RawPhoto,
        exposure: Exposure | float | str | None = None,
        stops: Sequence[float] = (0.0,),
        *,
        bits: int = 16,
        limit: ProcessLimit | None = None,
    ) -> Iterator[Restored]:
        """Restore one photo several times, each so many stops brighter than the exposure chosen (0: as chosen).

        The photo is aligned and its exposure chosen once: every picture names the time of both, and its own network's.

        limit: of the whole process, in place of `max_memory`
        Raises what `restore` does.
        """
        _require_photo(photo)
        wanted, stages = as_exposure(exposure), Stopwatch()
        with stages.measure("align"):
            prepared = self._engine.prepare(photo, bits, limit)
        with ThreadPoolExecutor(1) as loader:  # on another core: 30 ms of the first photo of a size
            loading = loader.submit(self._load, prepared, stages)
            with stages.measure("exposure"):
                chosen = choose_amplification(photo, self.model, wanted)
            loading.result()
        for ev in stops:
            yield self._restored(prepared, chosen.scaled(ev), stages.timings)  # no name keeps the picture here

    def _load(self, prepared: Prepared, stages: "Stopwatch") -> None:
        with stages.measure("session"):
            self._engine.load(prepared)

    def _restored(self, prepared: Prepared, amplification: Amplification, before: Mapping[str, float]) -> Restored:
        stages, photo, balances = Stopwatch(), prepared.photo, self._engine.balances
        with stages.measure("network"):
            image = self._engine.run(prepared, amplification.value)
        return Restored(
            image,
            amplification,
            MappingProxyType({**before, **stages.timings}),
            self.provider,
            self.model,
            photo.exif,
            tuple(photo.white_balance.tolist()) if balances else None,
            photo.white_balance_from if balances else "model",
            prepared.whole is None,
            self.fallback,
            str(self._engine.gamut) if self.model.rendering is Rendering.CAMERA else None,
        )


def _require_photo(photo: object) -> None:
    """Say how to come by a photo where a path or an array was given in place of one: UsageError."""
    if isinstance(photo, RawPhoto):
        return
    if isinstance(photo, str | os.PathLike):
        raise UsageError(
            f"restore takes a photo that was read, not the path {os.fspath(photo)!r}; give rdi.camera.read_photo(path)"
        )
    raise UsageError(
        f"restore takes a RawPhoto, not {type(photo).__name__}; for an array, make one with "
        "rdi.camera.photo_from_array(mosaic, 'RGGB', black_level=..., white_level=...)"
    )


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
