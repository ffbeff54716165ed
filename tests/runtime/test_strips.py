"""Bounded memory: strips give the whole frame's bytes, and a limit is kept or refused."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.errors import MemoryLimitError, ModelError, UsageError
from rdi.runtime import Exposure, ExposureMode, Restorer, engine
from rdi.runtime.budget import TALLEST, Work, choose_heights, heights_of
from rdi.runtime.strips import StripHeights
from rdi.strips import MANIFEST, Part, strip_path

FORTY = Exposure(ExposureMode.NUMBER, 40)
BAYER = (Cfa.RGGB, Cfa.BGGR, Cfa.GRBG, Cfa.GBRG)


def dark(height: int, width: int, seed: int = 0, **changes: object) -> RawPhoto:
    generator = np.random.default_rng(seed)
    mosaic = (509 + generator.poisson(np.linspace(2, 300, width), (height, width))).astype(np.uint16)
    mosaic[generator.random(mosaic.shape) < 0.001] = 16383  # hot pixels
    black = np.array([512.0, 511, 512.5, 510])
    return RawPhoto(mosaic, Cfa.RGGB, black, 16000.0, white_balance=np.array([2.1, 1, 1.6])).replace(**changes)


def forced(restorer: Restorer, heights: StripHeights, monkeypatch: pytest.MonkeyPatch) -> Restorer:
    """Restore in strips of these heights, whatever the limit."""
    restorer._engine.max_memory = 0
    monkeypatch.setattr(engine, "choose_heights", lambda *_: heights)
    return restorer


@pytest.fixture(scope="module")
def whole(exported_model: Path) -> Restorer:
    return Restorer(exported_model)


@pytest.mark.parametrize("seed", range(20))
def test_strips_give_the_bytes_of_the_whole_frame(
    exported_model: Path, whole: Restorer, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(seed)
    height, width = (int(size) for size in generator.integers(2, 420, 2))
    photo = dark(height, width, seed, cfa=BAYER[seed % 4], orientation=1 + seed % 8)
    heights = StripHeights(int(generator.integers(1, 30)), int(generator.integers(1, 9)))
    restorer = forced(Restorer(exported_model), heights, monkeypatch)
    for bits in (8, 16):
        expected = whole.restore(photo, FORTY, bits=bits)
        found = restorer.restore(photo, FORTY, bits=bits)
        assert (found.in_strips, expected.in_strips) == (True, False)
        assert found.image.dtype == expected.image.dtype == (np.uint8 if bits == 8 else np.uint16)
        assert found.image.shape == expected.image.shape
        assert np.array_equal(found.image, expected.image)
        assert found.image.std() > 0


def test_a_bracket_in_strips_is_the_bracket(exported_model: Path, whole: Restorer) -> None:
    photo = dark(600, 500)
    restorer = Restorer(exported_model, max_memory=choose_least(photo))
    stops = (-1.0, 0.0, 1.5)
    for found, expected in zip(
        restorer.restore_bracket(photo, FORTY, stops), whole.restore_bracket(photo, FORTY, stops), strict=True
    ):
        assert found.in_strips
        assert np.array_equal(found.image, expected.image)


def choose_least(photo: RawPhoto) -> int:
    """The smallest limit in bytes that a photo of 16 bits can be restored with."""
    frame = (-(-(photo.height + 80) // 32) * 32, -(-(photo.width + 80) // 32) * 32)
    work = Work(frame, 6 * photo.mosaic.size)
    return work.in_strips(heights_of(1, frame[0]))


def test_the_whole_frame_is_restored_where_it_fits(exported_model: Path) -> None:
    assert not Restorer(exported_model, max_memory="2GB").restore(dark(64, 96), FORTY).in_strips


def test_heights_shrink_with_the_limit_down_to_one_block() -> None:
    work = Work((2944, 4352), 3 * 2848 * 4256)
    assert choose_heights(work, work.whole()) is None
    chosen = [choose_heights(work, limit) for limit in range(work.whole() - 1, 0, -10_000_000) if limit > least(work)]
    blocks = [heights.blocks for heights in chosen if heights]
    assert len(blocks) == len(chosen)
    assert blocks == sorted(blocks, reverse=True)
    assert max(blocks) <= TALLEST
    assert choose_heights(work, least(work)) is not None
    for limit, heights in zip(range(work.whole() - 1, 0, -10_000_000), chosen, strict=False):
        assert heights is not None
        assert work.in_strips(heights) <= limit


def least(work: Work) -> int:
    return work.in_strips(heights_of(1, work.frame[0]))


def test_an_impossible_limit_is_answered_with_the_smallest_that_works() -> None:
    work = Work((2944, 4352), 3 * 2848 * 4256)
    wanted = -(-least(work) // 10**6)
    said = rf"50 MB is too small .* 12.8 megapixels; the smallest that works is {wanted} MB"
    with pytest.raises(MemoryLimitError, match=said):
        choose_heights(work, 50_000_000)


@pytest.mark.parametrize("text", ["lots", "-3MB", "0", "12 parsecs"])
def test_a_limit_that_is_no_amount_is_refused(exported_model: Path, text: str) -> None:
    with pytest.raises(UsageError, match="400MB"):
        Restorer(exported_model, max_memory=text)


def test_strips_that_are_missing_are_asked_for_by_name(exported_model: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.onnx"
    alone.write_bytes(exported_model.read_bytes())
    photo = dark(300, 300)
    with pytest.raises(ModelError, match=r"alone\.strips\.zip does not exist.*rdi export"):
        Restorer(alone, max_memory=choose_least(photo)).restore(photo, FORTY)
    assert Restorer(alone).restore(photo, FORTY).image.shape == (300, 300, 3)


def test_damaged_and_foreign_strips_are_refused(exported_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(exported_model.read_bytes())
    photo, strips = dark(300, 300), strip_path(exported_model).read_bytes()
    restorer = Restorer(model, max_memory=choose_least(photo))

    def refused(content: bytes, reason: str) -> None:
        strip_path(model).write_bytes(content)
        with pytest.raises(ModelError, match=reason):
            restorer.restore(photo, FORTY)

    refused(strips[: len(strips) // 2], "damaged")
    refused(b"", "damaged")
    refused(rewritten(strips, tmp_path, weights_sha256="0" * 64), "belongs to another model")
    refused(rewritten(strips, tmp_path, format="rdi-strips-9"), "has format 'rdi-strips-9'; this rdi reads")
    refused(rewritten(strips, tmp_path, graph=b"no graph"), r"reduce\.onnx is not what its manifest says")
    strip_path(model).write_bytes(strips)
    assert restorer.restore(photo, FORTY).in_strips


def rewritten(strips: bytes, folder: Path, graph: bytes | None = None, **manifest: str) -> bytes:
    source, target = folder / "source.zip", folder / "target.zip"
    source.write_bytes(strips)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        new.writestr(MANIFEST, json.dumps(json.loads(old.read(MANIFEST)) | manifest))
        for part in Part:
            content = graph if graph is not None and part is Part.REDUCE else old.read(part.file_name)
            new.writestr(part.file_name, content)
    return target.read_bytes()


MEASURE = """
import sys
from pathlib import Path
import numpy as np
from rdi.camera import Cfa, RawPhoto
from rdi.memory import peak_resident_bytes, resident_bytes
from rdi.runtime import Exposure, ExposureMode, Restorer
model, height, width, limit = Path(sys.argv[1]), *map(int, sys.argv[2:])
photo = RawPhoto(np.full((height, width), 600, dtype=np.uint16), Cfa.RGGB, 512.0, 16383.0)
restorer = Restorer(model, max_memory=limit)
before = resident_bytes()
restored = restorer.restore(photo, Exposure(ExposureMode.NUMBER, 40), bits=8)
print(int(restored.in_strips), peak_resident_bytes() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of resident memory is read from /proc")
@pytest.mark.parametrize(("size", "limit", "in_strips"), [((1000, 1500), 90, False), ((1500, 2000), 70, True)])
def test_a_call_adds_no_more_to_the_process_than_its_limit(
    exported_model: Path, size: tuple[int, int], limit: int, in_strips: bool
) -> None:
    arguments = [str(exported_model), *map(str, size), str(limit * 10**6)]
    run = subprocess.run([sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True)
    found, growth = map(int, run.stdout.split())
    assert bool(found) == in_strips
    assert growth <= limit * 10**6
