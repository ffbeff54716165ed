"""What a run leaves to look at: tables of losses and averages, pictures, TensorBoard's files."""

import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdi.errors import MissingPackageError
from rdi.extras import install_hint
from rdi.metadata import ModelMetadata
from rdi.training.before_after import save_pictures
from rdi.training.learner import StepResult
from rdi.training.records import AVERAGE_COLUMNS, LOSS_COLUMNS, Table
from rdi.training.settings import Places, TrainingSettings
from rdi.training.validation import Frame, Validation

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FORGETTING = 0.02  # share of the newest loss in the running one


@dataclass
class Averages:
    """Means of the losses so far; part of the state that a resume goes on from.

    running:  exponential mean over about 50 steps; None before the first
    total, steps: since the last validation
    """

    running: float | None = None
    total: float = 0.0
    steps: int = 0

    def add(self, loss: float) -> float:
        """Take a loss in; returns the running mean."""
        self.running = loss if self.running is None else self.running + FORGETTING * (loss - self.running)
        self.total, self.steps = self.total + loss, self.steps + 1
        return self.running

    def take_mean(self) -> float:
        """The mean since this was last asked; then it begins anew."""
        mean = self.total / max(self.steps, 1)
        self.total, self.steps = 0.0, 0
        return mean


class Recorder:
    """Writes them; of several processes only the first one has it.

    averages: go on from those of an earlier part of the run
    """

    def __init__(
        self, run: Path, places: Places, settings: TrainingSettings, step: int, averages: dict[str, Any] | None = None
    ) -> None:
        """step: steps done already; what was written after it is taken away."""
        self.settings, self.averages = settings, Averages(**(averages or {}))
        self._pictures = places.pictures_folder or run / "pictures"
        self._losses = Table(places.losses_file or run / "losses.csv", LOSS_COLUMNS, step)
        self._table = Table(places.averages_file or run / "averages.csv", AVERAGE_COLUMNS, step)
        self._board = _open_board(run / "tensorboard", settings.tensorboard, step)

    def step(self, step: int, result: StepResult) -> float:
        """A step is done; returns the running loss."""
        self._losses.add(step, step * self.settings.batch, result.loss, result.gradient_norm, result.learning_rate)
        if self._board:
            for name in ("loss", "gradient_norm", "learning_rate"):
                self._board.add_scalar(f"training/{name}", getattr(result, name), step)
        return self.averages.add(result.loss)

    def frame(self, number: int, frame: Frame, metadata: ModelMetadata, step: int) -> None:
        """A frame of a validation is restored: the first ones become pictures."""
        if number >= self.settings.pictures:
            return
        panels = save_pictures(frame, metadata, self._pictures, step)
        if self._board:
            self._board.add_image(f"validation/{frame.capture.name}", panels, step, dataformats="HWC")

    def validation(self, result: Validation) -> None:
        """A validation is done."""
        images = result.step * self.settings.batch
        loss, running = self.averages.take_mean(), self.averages.running
        self._table.add(
            result.step, images, loss, loss if running is None else running, result.psnr, result.ssim, result.frames
        )
        if self._board:
            self._board.add_scalar("validation/psnr", result.psnr, result.step)
            self._board.add_scalar("validation/ssim", result.ssim, result.step)
            for name, (psnr, ssim) in result.parts.items():
                self._board.add_scalar(f"validation/psnr_{name}", psnr, result.step)
                self._board.add_scalar(f"validation/ssim_{name}", ssim, result.step)

    def flush(self) -> dict[str, Any]:
        """Have everything so far on the disk; returns the averages for the state."""
        for table in (self._losses, self._table):
            table.flush()
        if self._board:
            self._board.flush()
        return asdict(self.averages)

    def close(self) -> None:
        """Nothing more comes."""
        for table in (self._losses, self._table):
            table.close()
        if self._board:
            self._board.close()


def _open_board(folder: Path, wanted: bool | None, step: int) -> "SummaryWriter | None":
    """TensorBoard's writer; None where it is not wanted, or not installed and not asked for."""
    if wanted is False or (wanted is None and importlib.util.find_spec("tensorboard") is None):
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingPackageError(f"--tensorboard needs tensorboard: {install_hint('train')}") from error
    # A resumed run tells TensorBoard to forget what was written after its step.
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
