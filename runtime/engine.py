"""One photo through the network: the whole frame at once, or in strips where a memory limit asks for it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import MARGIN, Alignment, Frame, RawPhoto, plan_alignment
from rdi.depth import Picture, in_bits
from rdi.errors import ModelError, UsageError
from rdi.memory import parse_bytes
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.orientation import sensor_view, upright
from rdi.runtime.budget import ProcessLimit, Work, choose_heights
from rdi.runtime.gamut import Gamut, rendering_inputs
from rdi.runtime.package import first_line, session_errors
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import Sessions, run_session
from rdi.runtime.strip_file import open_strip_file
from rdi.runtime.strips import Levels, StripHeights, StripSessions, restore_photo


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo that was brought to the model's phase and size, and how it is to be restored.

    whole:   the aligned frame; None where it is restored in strips
    heights: of the strips; None where the frame is restored whole
    bits:    per channel of the picture, 8 or 16
    """

    photo: RawPhoto
    alignment: Alignment
    whole: Frame | None
    heights: StripHeights | None
    bits: int


class Engine:
    """Runs the sessions of one model on one provider.

    max_memory: bytes, or text such as "400MB", that preparing and restoring a photo may add to what the process holds,
                the picture included; None: no limit
    gamut:      of the pictures
    Raises UsageError for a limit that is no amount of memory or on a provider other than cpu, and for a gamut that the
    model leaves no choice of.
    """

    def __init__(self, sessions: Sessions, max_memory: int | str | None = None, gamut: Gamut = Gamut.COMPRESS) -> None:
        gamut.require_usable(sessions.model.metadata)
        self.gamut = gamut
        if max_memory is not None and sessions.provider is not Provider.CPU:
            raise UsageError(
                f"a memory limit is for the provider cpu; {sessions.provider} has memory of its own: leave it out"
            )
        self.max_memory = parse_bytes(max_memory) if isinstance(max_memory, str) else max_memory
        self.sessions = sessions
        self._strips: StripSessions | None = None

    @property
    def metadata(self) -> ModelMetadata:
        """What the model says of itself."""
        return self.sessions.model.metadata

    @property
    def balances(self) -> bool:
        """Whether the model applies the photo's white balance."""
        return self.metadata.white_balance is WhiteBalance.INPUT

    def prepare(self, photo: RawPhoto, bits: int, limit: ProcessLimit | None = None) -> Prepared:
        """Align a photo and choose between whole frame and strips.

        limit: of the process, in place of that of the call

        Raises UnsupportedMosaicError where the photo's CFA does not fit the model, MemoryLimitError for a
        limit that the photo cannot keep to, UsageError for other than 8 or 16 bits.
        """
        if bits not in (8, 16):
            raise UsageError(f"a picture has 8 or 16 bits per channel, not {bits}")
        alignment = plan_alignment(photo, self.metadata.cfa, self.metadata.size_multiple, MARGIN)
        heights, work = None, Work(alignment.shape, 3 * photo.mosaic.size * bits // 8)
        if limit is not None:
            heights = choose_heights(work, limit.for_call(photo.mosaic), limit.given)
        elif self.max_memory is not None:
            heights = choose_heights(work, self.max_memory)
        return Prepared(photo, alignment, alignment.frame() if heights is None else None, heights, bits)

    def load(self, prepared: Prepared) -> None:
        """Make the sessions that a photo needs.

        Raises ProviderError where the provider does not load, ModelError where strips are needed and there are none.
        """
        if prepared.heights is None:
            self.sessions.get(*prepared.alignment.shape)
        elif self._strips is None:
            file = open_strip_file(self.sessions.model)
            self._strips = StripSessions(file, self.sessions.provider, self.sessions.threads)

    def run(self, prepared: Prepared, amplification: float) -> Picture:
        """The picture (H, W, 3), upright, uint8 or uint16 as prepared; ModelError where the network fails."""
        self.load(prepared)
        try:
            return self._whole(prepared, amplification) if prepared.whole else self._in_strips(prepared, amplification)
        except session_errors() as error:
            raise ModelError(
                f"the network failed on this frame ({first_line(error)}); is there enough memory?"
            ) from error

    def _whole(self, prepared: Prepared, amplification: float) -> Picture:
        """Scalars go in as 0-d arrays: onnxruntime takes neither numbers nor (1,) here."""
        frame = prepared.whole
        assert frame is not None
        inputs: dict[str, NDArray[Any]] = {
            "mosaic": frame.mosaic[None, None],
            "black_level": frame.black_level.astype(np.float32),
            "white_level": np.array(prepared.photo.white_level, dtype=np.float32),
            "gains": self._gains(prepared),
            "amplification": np.array(amplification, dtype=np.float32),
            **rendering_inputs(self.metadata, prepared.photo, self.gamut),
        }
        shape = prepared.alignment.shape
        padded = run_session(self.sessions.get(*shape), inputs, "rgb", (1, *shape, 3))[0]
        return in_bits(upright(frame.crop(padded), prepared.photo.orientation), prepared.bits)

    def _in_strips(self, prepared: Prepared, amplification: float) -> Picture:
        """Each strip goes to its place, turned and rounded, as it comes."""
        assert self._strips is not None
        assert prepared.heights is not None
        photo, alignment = prepared.photo, prepared.alignment
        image = np.empty((*upright_size(photo), 3), dtype=np.uint8 if prepared.bits == 8 else np.uint16)
        target = sensor_view(image, photo.orientation)
        factor = self._gains(prepared) * np.float32(amplification)
        levels = Levels(alignment.black_level, photo.white_level, factor)
        rendering = rendering_inputs(self.metadata, photo, self.gamut)
        for rows, strip in restore_photo(self._strips, alignment, levels, prepared.heights, rendering):
            target[rows] = in_bits(strip, prepared.bits)
        return image

    def _gains(self, prepared: Prepared) -> NDArray[np.float32]:
        gains = prepared.alignment.gains
        return (gains if self.balances else np.ones_like(gains)).astype(np.float32)


def upright_size(photo: RawPhoto) -> tuple[int, int]:
    """Height and width of the photo's upright picture."""
    return (photo.width, photo.height) if photo.orientation >= 5 else (photo.height, photo.width)
