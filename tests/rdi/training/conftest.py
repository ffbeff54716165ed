"""A few small photos to train on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def training_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two photos to train on and one to validate with, 220x200."""
    folder = tmp_path_factory.mktemp("training-photos")
    generator = np.random.default_rng(0)
    for name in ("a", "b", "held-out"):
        coarse = generator.integers(0, 256, (14, 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((220, 200), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    (folder / "VALIDATION.txt").write_text("held-out.png\n")
    return folder
