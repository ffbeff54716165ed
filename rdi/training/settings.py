"""Everything that can be chosen about a training run: the one place from which options, file keys and documents come.

Each field carries its text, its group, its name in the published configuration where it had one, and whether it may
change when a run is resumed. `rdi.training.configuration` puts values together for them, `rdi.cli.train_options` makes
command-line options of them, docs/training.md lists them.

Light on purpose: a help text must not load PyTorch or numpy.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from rdi.errors import UsageError
from rdi.model_kinds import BelowBlack, Companding, Rendering, WhiteBalance
from rdi.training.choices import Amplification, Camera, Device, Optimiser, PixelLoss, Schedule
from rdi.training.setting_fields import Group, check_bounds, setting

T = TypeVar("T")
Range = tuple[float, float]  # LOW-HIGH
Patterns = tuple[str, ...]  # of file names
HIGHEST_SEED = 2**63 - 1  # that PyTorch takes


@dataclass(frozen=True)
class Places:
    """Where data are and where files go: stays on this machine, the weights file does not name them."""

    photos: Path | None = setting(
        None, "Folder of ordinary photos to simulate dark captures of.", group=Group.SOURCE, resume=True
    )
    sid: Path | None = setting(
        None,
        "Folder that holds SID's Sony/ or Fuji/, and the lists in it or beside it.",
        group=Group.SOURCE,
        resume=True,
        old="sony_img_path",
    )
    pairs: Path | None = setting(
        None, "Folder of your own dark raw photos and bright ones of the same scenes.", group=Group.SOURCE, resume=True
    )
    cache: Path | None = setting(None, "Folder that `rdi prepare` made.", group=Group.SOURCE, resume=True)
    init: Path | None = setting(None, "Weights to start from (.safetensors); none: random.", group=Group.SOURCE)
    out: Path | None = setting(None, "Folder of the run; none: runs/ and the date and time.", group=Group.SAVING)
    weights_folder: Path | None = setting(
        None,
        "Where numbered weights go; none: the run's weights/.",
        group=Group.SAVING,
        resume=True,
        old="weight_save_path",
    )
    pictures_folder: Path | None = setting(
        None,
        "Where restored pictures go; none: the run's pictures/.",
        group=Group.SAVING,
        resume=True,
        old="img_save_path",
    )
    losses_file: Path | None = setting(
        None, "CSV of the losses; none: the run's losses.csv.", group=Group.SAVING, resume=True, old="csv_save_path"
    )
    averages_file: Path | None = setting(
        None,
        "CSV of running averages; none: the run's averages.csv.",
        group=Group.SAVING,
        resume=True,
        old="metric_avg_file",
    )
    train_amplification_file: Path | None = setting(
        None,
        "CSV to write before training: base, GT and estimated amplification of each training photo.",
        group=Group.SAVING,
        resume=True,
        old="train_amp_file",
    )
    validation_amplification_file: Path | None = setting(
        None, "The same CSV for the validation frames.", group=Group.SAVING, resume=True, old="test_amp_file"
    )

    @property
    def named(self) -> bool:
        """Whether any of them holds data."""
        return any((self.photos, self.sid, self.pairs, self.cache))


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one run; all of them are stored in the checkpoint. Each field's text says what it is."""

    crop: int = setting(256, "Side of a crop in pixels, a multiple of 32 above 160.", group=Group.DATA)
    white_balance: WhiteBalance = setting(
        WhiteBalance.INPUT,
        "input: gains multiply the mosaic, colours follow each file; baked: the paper's way.",
        group=Group.DATA,
    )
    rendering: Rendering = setting(
        Rendering.CAMERA,
        "camera: the network gives what the camera saw, which each file's own matrix renders; paper: it gives sRGB.",
        group=Group.DATA,
    )
    below_black: BelowBlack = setting(
        BelowBlack.KEPT,
        "Counts below the black level. kept: negative light, blacks stay neutral; cut: at 0, the paper's way.",
        group=Group.DATA,
    )
    companding: Companding = setting(
        Companding.ROOT,
        "root: the network works on the root of light, where noise is even; none: on light, the paper's way.",
        group=Group.DATA,
    )
    amplification: Amplification = setting(
        Amplification.GT,
        "Of recorded pairs. gt: long / short exposure, at most 300; estimated: the paper's amplifier.",
        group=Group.DATA,
    )
    m: float = setting(5.0, "The amplifier's m, before its clip.", group=Group.DATA, lowest=0.001, highest=1000)
    camera: Camera = setting(Camera.SONY, "Part of SID: sony or fuji (X-Trans).", group=Group.DATA)
    mix: dict[str, float] = setting(
        {}, "Shares of several sources, such as sid=0.7,photos=0.3; none: equal ones.", group=Group.DATA
    )
    leave_out: Patterns = setting(
        (),
        "Photos that are not trained on, by patterns of their names, such as scan-*,draft.jpg; validation keeps them.",
        group=Group.DATA,
    )
    skip_missing: bool = setting(
        False, "Go on without files that are missing or damaged, and say how many.", group=Group.DATA
    )
    reduction: float = setting(
        1.0,
        "Photos are reduced by up to this factor before a crop is taken: sharper, and with more detail.",
        group=Group.DATA,
        lowest=1,
        highest=8,
    )
    detail: int = setting(
        1,
        "Random crops of a photo of which the one with most detail is taken.",
        group=Group.DATA,
        lowest=1,
        highest=16,
    )
    transpose: bool = setting(
        True, "Exchange rows and columns of every other crop, beside mirroring them.", group=Group.DATA
    )
    seed: int = setting(0, "Of data and initial weights.", group=Group.DATA, lowest=0, highest=HIGHEST_SEED)
    workers: int = setting(
        1, "Processes that make crops; 0: none beside the training one.", group=Group.DATA, resume=True, lowest=0
    )
    prefetch: int = setting(2, "Batches that each of them makes ahead.", group=Group.DATA, resume=True, lowest=1)

    iso: Range = setting((400.0, 25_600.0), "Simulated ISO, LOW-HIGH within 50-25600.", group=Group.SIMULATION)
    ratio: Range = setting((3.0, 400.0), "Simulated exposure ratio, LOW-HIGH.", group=Group.SIMULATION)
    defects: bool = setting(
        True, "Sensors with greens that count differently and with warm pixels.", group=Group.SIMULATION
    )
    sensor: str = setting("random", "Camera of the colour table, or random.", group=Group.SIMULATION)

    steps: int = setting(20_000, "Optimiser steps.", group=Group.OPTIMISATION, old="max_iter", resume=True, lowest=1)
    batch: int = setting(
        8, "Crops in a step, of all processes together.", group=Group.OPTIMISATION, old="batch_size", lowest=1
    )
    learning_rate: float = setting(
        6e-3, "At its highest; for adamw and adam 1e-3 is more like it.", group=Group.OPTIMISATION, old="base_lr"
    )
    schedule: Schedule = setting(Schedule.COSINE, "cosine, step or constant.", group=Group.OPTIMISATION)
    warm_up: int = setting(300, "Steps over which the learning rate rises.", group=Group.OPTIMISATION, lowest=0)
    final_share: float = setting(
        0.01, "Cosine: share of the learning rate at the end.", group=Group.OPTIMISATION, lowest=0, highest=1
    )
    reduce_at: tuple[int, ...] = setting(
        (), "Step schedule: steps at which the learning rate falls.", group=Group.OPTIMISATION, old="atWhichReduce"
    )
    reduce_by: float = setting(
        0.1,
        "Step schedule: what the learning rate is multiplied by there.",
        group=Group.OPTIMISATION,
        old="reduce_lr_by",
        lowest=0,
        highest=1,
    )
    optimiser: Optimiser = setting(
        Optimiser.MUON,
        "muon: the rate is the kernels', gains and biases learn at a sixth of it by AdamW; adamw or adam.",
        group=Group.OPTIMISATION,
    )
    beta1: float = setting(
        0.9, "Adam's decay of the mean gradient.", group=Group.OPTIMISATION, lowest=0, highest=0.9999
    )
    beta2: float = setting(
        0.99, "Adam's decay of the mean squared gradient.", group=Group.OPTIMISATION, lowest=0, highest=0.999999
    )
    weight_decay: float = setting(1e-4, "Of the optimiser.", group=Group.OPTIMISATION, lowest=0)
    clip: float = setting(
        0.3, "Norm to which larger gradients are scaled down; 0: never.", group=Group.OPTIMISATION, lowest=0
    )
    ema: float = setting(
        0.999,
        "Decay of the running mean of the weights, which is validated and exported; 0: none.",
        group=Group.OPTIMISATION,
        lowest=0,
        highest=0.99999,
    )

    pixel_loss: PixelLoss = setting(PixelLoss.L1, "l1 or l2.", group=Group.LOSS)
    pixel_weight: float = setting(0.8, "Of the pixel loss.", group=Group.LOSS, lowest=0)
    structure_weight: float = setting(0.2, "Of 1 - MS-SSIM.", group=Group.LOSS, lowest=0)
    grain_weight: float = setting(0.15, "Of 1 - SSIM's structure at full size, for grain.", group=Group.LOSS, lowest=0)

    device: Device = setting(Device.CPU, "cpu or cuda.", group=Group.COMPUTING)
    threads: int | None = setting(
        None, "CPU threads of each process; none: PyTorch's choice.", group=Group.COMPUTING, resume=True, lowest=1
    )
    mixed_precision: bool | None = setting(
        None,
        "Convolutions in bfloat16, weights and loss in float32; none: where the processor has bfloat16.",
        group=Group.COMPUTING,
    )
    channels_last: bool = setting(
        False, "Tensors with the channels innermost: for GPUs, no gain on CPUs.", group=Group.COMPUTING
    )
    compile: bool = setting(
        False, "Compile the network with torch.compile; needs a C++ compiler.", group=Group.COMPUTING
    )

    checkpoint_every: int = setting(
        500, "Steps between two checkpoints to resume from.", group=Group.SAVING, resume=True, lowest=1
    )
    keep_at: tuple[int, ...] = setting(
        (), "Steps whose weights are kept under their number.", group=Group.SAVING, old="atWhichSave", resume=True
    )
    keep_every: int = setting(
        0,
        "After the last of these, weights are kept every so many steps; 0: never.",
        group=Group.SAVING,
        old="atWhichSave",
        resume=True,
        lowest=0,
    )
    validate_every: int = setting(2_000, "Steps between two validations.", group=Group.SAVING, resume=True, lowest=1)
    validation_frames: int = setting(
        12, "Full frames of a validation, at most.", group=Group.SAVING, resume=True, lowest=1
    )
    pictures: int = setting(
        2, "Restored pictures that a validation writes; 0: none.", group=Group.SAVING, resume=True, lowest=0
    )
    tensorboard: bool | None = setting(
        None, "Write scalars and pictures for TensorBoard; none: if it is installed.", group=Group.SAVING, resume=True
    )

    debug: bool = setting(
        False,
        "Debug mode: few steps on few pictures, validated and saved at the end.",
        group=Group.DEBUGGING,
        old="debug",
    )
    debug_steps: int = setting(
        10, "Steps in debug mode.", group=Group.DEBUGGING, old="debug_iter", resume=True, lowest=1
    )
    debug_size: int = setting(
        2,
        "Pictures to train on, and to validate with, in debug mode.",
        group=Group.DEBUGGING,
        old="debug_size",
        lowest=1,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            check_bounds(item, getattr(self, item.name))
        if not 0 < self.learning_rate < 1:
            raise UsageError(f"--learning-rate {self.learning_rate} is out of range; give one between 0 and 1")
        if self.pixel_weight == self.structure_weight == self.grain_weight == 0:
            raise UsageError("--pixel-weight, --structure-weight and --grain-weight are 0; give one a value above 0")
        if self.rendering is Rendering.CAMERA and self.white_balance is WhiteBalance.BAKED:
            raise UsageError(
                "--rendering camera needs --white-balance input: a network with one camera's balance baked in would be "
                "rendered with other cameras' matrices; give --rendering paper with --white-balance baked"
            )
        if self.schedule is Schedule.STEP and not self.reduce_at:
            raise UsageError("--schedule step needs --reduce-at STEP,STEP,...; the paper's is 500000")
        _check_crop(self.crop)
        _check_simulation(self.iso, self.ratio)

    def limited(self, pictures: Sequence[T]) -> Sequence[T]:
        """Those that a run uses: in debug mode the first `debug_size` of them, else all."""
        return pictures[: self.debug_size] if self.debug else pictures

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the checkpoint's description."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def _check_crop(crop: int) -> None:
    from rdi.network import SIZE_MULTIPLE
    from rdi.training.loss import SMALLEST_CROP

    if crop % SIZE_MULTIPLE or crop <= SMALLEST_CROP:
        raise UsageError(
            f"--crop {crop} does not fit; give a multiple of {SIZE_MULTIPLE} above {SMALLEST_CROP}, "
            "which MS-SSIM's five scales need"
        )


def _check_simulation(iso: Range, ratio: Range) -> None:
    from rdi.noise import calibration

    _check_range("iso", iso, calibration()[0].iso, calibration()[-1].iso)
    _check_range("ratio", ratio, 1, 10_000)


def _check_range(name: str, given: Range, lowest: float, highest: float) -> None:
    low, high = given
    if not lowest <= low <= high <= highest:
        raise UsageError(f"--{name} {low:g}-{high:g} is out of range; give LOW-HIGH within {lowest:g}-{highest:g}")
