"""A miniature of the See-in-the-Dark dataset, made of bright pictures: for tests, and to try training out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rdi.atomic import atomic_path
from rdi.camera.cfa import Cfa
from rdi.camera.dng import Compression, write_dng
from rdi.darken import DarkCapture, describe
from rdi.errors import OutputError, UsageError
from rdi.pictures import load_picture, shrink
from rdi.simulate import Exposure, simulate

LONG_SECONDS = 10.0
SHORT_SECONDS = (0.1, 0.04)  # exposure ratios 100 and 250, as most of SID's
# The first digit of a scene's number says what it is for.
FIRST_SCENES = {"train": 1, "test": 10_001, "val": 20_001}
# LibRaw cannot develop X-Trans frames below 512 pixels; the long exposure has to be developed.
SMALLEST_XTRANS = 512


@dataclass(frozen=True)
class SidTree:
    """What was written.

    lists:  the three lists
    frames: raw files
    """

    lists: list[Path]
    frames: int


def write_sid_tree(
    pictures: Sequence[Path],
    folder: Path,
    capture: DarkCapture,
    *,
    compression: Compression = Compression.NONE,
    overwrite: bool = False,
) -> SidTree:
    """Write each picture as a scene of SID: a long exposure and two short ones, under SID's names, with its lists.

    The content is DNG whatever the suffix says (LibRaw looks at the content). The last picture is for validation, the
    one before it for the test list, the others for training; with two pictures, one of them is also the test list's.

    folder:  gets `Sony/` and `Sony_train_list.txt` and its like, or Fuji's for X-Trans
    capture: ISO, camera, noise, size and seed; its ratio is not used
    Raises UsageError for fewer than two pictures, OutputError for a list that exists (unless `overwrite`).
    """
    if len(pictures) < 2:
        raise UsageError(f"{len(pictures)} picture(s) are too few for a SID tree; give a folder of two or more")
    sensor = replace(capture.sensor, cfa=capture.cfa or capture.sensor.cfa)
    capture = replace(capture, sensor=sensor, cfa=sensor.cfa)
    name, suffix = ("Fuji", "RAF") if sensor.cfa is Cfa.XTRANS else ("Sony", "ARW")
    lists = {split: folder / f"{name}_{split}_list.txt" for split in FIRST_SCENES}
    for file in lists.values():
        if file.exists() and not overwrite:
            raise OutputError(f"{file} exists; give another --sid-tree, or replace it with --overwrite")
    shared_test = pictures[:-1] if len(pictures) == 2 else pictures[:-2]
    scenes = {"train": shared_test, "test": pictures[-2:-1], "val": pictures[-1:]}
    frames = 0
    for split, file in lists.items():
        lines = list[str]()
        for index, picture in enumerate(scenes[split]):
            lines += _write_scene(picture, folder / name, FIRST_SCENES[split] + index, suffix, capture, compression)
            frames += 1 + len(SHORT_SECONDS)
        with atomic_path(file, replace=overwrite) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return SidTree(list(lists.values()), frames)


def _write_scene(
    picture: Path, part: Path, scene: int, suffix: str, capture: DarkCapture, compression: Compression
) -> list[str]:
    """Take one scene; its lines for the list."""
    pixels = load_picture(picture)
    if capture.max_side is not None:
        pixels = shrink(pixels, capture.max_side)
    if capture.cfa is Cfa.XTRANS and min(pixels.shape[:2]) < SMALLEST_XTRANS:
        raise UsageError(
            f"{picture} would become {pixels.shape[1]}x{pixels.shape[0]} pixels; LibRaw develops no X-Trans frame "
            f"below {SMALLEST_XTRANS}: give larger pictures or a larger --max-side"
        )
    light = capture.exposure().white_balance
    names = list[str]()
    for number, seconds in enumerate((*SHORT_SECONDS, LONG_SECONDS)):
        length = "long" if seconds == LONG_SECONDS else "short"
        path = part / length / f"{scene:05d}_00_{seconds:g}s.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        taken = replace(capture, ratio=LONG_SECONDS / seconds)
        seed = int(np.random.SeedSequence([capture.seed, scene, number]).generate_state(1)[0])
        exposure = Exposure(taken.iso, taken.ratio, light)
        photo = simulate(pixels, exposure, sensor=capture.sensor, read_noise=capture.read_noise, seed=seed)
        text = describe(taken, light)
        write_dng(photo.replace(exposure_time=seconds), path, compression=compression, description=text)
        names.append(f"./{part.name}/{length}/{path.name}")
    *shorts, long = names
    return [f"{short} {long} ISO{capture.iso:g} F8" for short in shorts]
