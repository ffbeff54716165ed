"""A long batch of small and large photos costs at its end what it cost at its beginning: memory, open files, time."""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng

SMALL, LARGE = 500, 20
EVERY = SMALL // LARGE  # small ones between two large ones, so that each tenth of the batch has as many
TENTH = (SMALL + LARGE) // 10
GROWTH = 1.05  # of memory, last tenth against first
SLOWER = 3.0  # times; only what piles up makes a batch as slow as that, not a computer that does something else


class Sample(NamedTuple):
    """When a picture was done: seconds, bytes of the command and of the process that decodes, files that are open."""

    time: float
    memory: int
    decoder: int
    files: int


def write_noise(path: Path, height: int, width: int) -> None:
    noise = np.random.default_rng(1).integers(512, 700, (height, width)).astype(np.uint16)
    write_dng(RawPhoto(noise, Cfa.RGGB, np.array([512.0]), 16383.0, np.array([2.4, 1.0, 1.6])), path)


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def sample(pid: int) -> Sample:
    decoder = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    files = sum(len(list(Path(f"/proc/{process}/fd").iterdir())) for process in (pid, decoder))
    return Sample(time.monotonic(), resident(pid), resident(decoder), files)


def batch(folder: Path, model: Path) -> tuple[list[dict[str, Any]], list[Sample]]:
    """What the command said of each picture, and what it was like just then."""
    command = ["infer", str(folder / "photos"), "--out", str(folder / "out"), "--model", str(model), "--json"]
    told, samples = [], []
    with subprocess.Popen([sys.executable, "-m", "rdi.cli", *command], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            told.append(json.loads(line))
            if len(told) < SMALL + LARGE:  # at the last one the decoder may be gone
                samples.append(sample(running.pid))
    assert running.returncode == 0
    return told, samples


@pytest.mark.full
def test_a_long_batch_ends_as_it_began(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    write_noise(tmp_path / "small.dng", 400, 600)
    sizes = [(4000, 6000)] * (LARGE - 2) + [(7760, 10328)] * 2  # 24 and 80 megapixels
    for number, size in enumerate(sorted(set(sizes))):
        write_noise(tmp_path / f"{number}.dng", *size)
    kinds = [tmp_path / "0.dng", tmp_path / "1.dng"]
    for number in range(SMALL + LARGE):
        step, rest = divmod(number, EVERY + 1)
        # The largest come first, in the first and in the last tenth: what they leave is there from the beginning.
        source = tmp_path / "small.dng" if rest else kinds[1 if step in (0, LARGE - 1) else 0]
        os.link(source, tmp_path / "photos" / f"{number:03}.dng")
    told, samples = batch(tmp_path, tiny_model)
    assert [one["status"] for one in told] == ["restored"] * (SMALL + LARGE)
    first, last = samples[1 : TENTH + 1], samples[-TENTH:]

    def medians(name: str) -> list[float]:
        return [statistics.median(getattr(one, name) for one in part) for part in (first, last)]

    figures = {name: medians(name) for name in ("memory", "decoder", "files")}
    figures["seconds"] = [
        statistics.median(after.time - before.time for before, after in pairwise(part)) for part in (first, last)
    ]
    print(json.dumps(figures))
    for name in ("memory", "decoder"):
        assert figures[name][1] <= GROWTH * figures[name][0], name
    assert figures["files"][1] <= figures["files"][0]
    assert figures["seconds"][1] <= SLOWER * figures["seconds"][0]
