"""Fixtures that all folders' tests share."""

from pathlib import Path

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip("needs the real data in ../shared, which is not here")
    return folder


@pytest.fixture(scope="session")
def real_arw(shared: Path) -> Path:
    """A real dark photo: Sony ILCE-7RM3, ISO 3200, blue stage light."""
    return shared / "raws" / "sony_ilce7rm3_iso3200.ARW"


@pytest.fixture
def dark_photo() -> RawPhoto:
    """A small dark RGGB frame with a gradient and shot noise."""
    generator = np.random.default_rng(7)
    gradient = np.linspace(2, 300, 64 * 96).reshape(64, 96)
    mosaic = (512 + generator.poisson(gradient)).astype(np.uint16)
    return RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0)
