"""`rdi simulate`: a picture in, a dark DNG out, and what it refuses."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import Image
from typer.testing import CliRunner, Result

from rdi.camera import Cfa, read_photo
from rdi.cli.main import app
from rdi.color import decode
from rdi.noise import noise_at
from rdi.sensors.cameras import find_sensor


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def assert_refused(result: Result, said: str, code: int) -> None:
    """One line on stderr, nothing on stdout."""
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Grey, so that every site's expected value is known."""
    path = tmp_path / "photo.png"
    Image.new("RGB", (120, 80), (180, 180, 180)).save(path)
    return path


def test_the_dark_photo_reads_back_with_the_settings(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "dark.dng"
    result = run(picture, "--iso", 3200, "--ratio", 100, "--white-balance", "2,1,1.6", "--seed", 5, "--out", out)
    assert result.exit_code == 0, result.output
    assert all(word in result.stdout for word in ("120x80", "ISO 3200", "ratio 100", "2,1,1.6", "seed 5", str(out)))
    photo = read_photo(out)
    assert photo.mosaic.shape == (80, 120)
    assert (photo.cfa, photo.iso, photo.white_level, photo.exposure_time) == (Cfa.RGGB, 3200, 16383, None)
    assert photo.black_level.tolist() == [512] * 4
    assert photo.white_balance == pytest.approx([2, 1, 1.6], abs=1e-5)
    assert photo.camera == "Sony ILCE-7SM2"
    assert photo.warnings == ()


def test_libraw_agrees_on_levels_pattern_and_balance(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "dark.dng"
    run(picture, "--cfa", "GBRG", "--white-balance", "2,1,1.6", "--out", out)
    with rawpy.imread(str(out)) as raw:
        assert raw.raw_pattern is not None
        assert [[chr(raw.color_desc[site]) for site in row] for row in raw.raw_pattern] == [["G", "B"], ["R", "G"]]
        assert (raw.black_level_per_channel, raw.white_level) == ([512] * 4, 16383)
        assert raw.camera_whitebalance[:3] == pytest.approx([2, 1, 1.6], rel=1e-5)


@pytest.mark.parametrize("read_noise", ["tukey-lambda", "gaussian"])
def test_mean_and_spread_are_what_ratio_and_iso_say(read_noise: str, tmp_path: Path) -> None:
    picture, out = tmp_path / "photo.png", tmp_path / "dark.dng"
    Image.new("RGB", (400, 300), (180, 180, 180)).save(picture)
    options = ("--white-balance", "1,1,1", "--iso", 3200, "--ratio", 100, "--read-noise", read_noise, "--out", out)
    assert run(picture, *options).exit_code == 0
    light = float(decode(np.array([180 / 255], dtype=np.float32))[0]) * 15871 / 100
    counted = read_photo(out).mosaic.astype(np.float64) - 512
    noise = noise_at(3200)
    read = noise.gaussian_sigma if read_noise == "gaussian" else noise.tukey_sigma
    assert counted.mean() == pytest.approx(light, rel=0.01)
    assert counted.var() == pytest.approx(noise.gain * light + read**2 + noise.row_sigma**2 + 1 / 12, rel=0.03)


@pytest.mark.parametrize("cfa", list(Cfa))
def test_every_pattern_can_be_asked_for_in_any_case(cfa: Cfa, picture: Path, tmp_path: Path) -> None:
    assert run(picture, "--cfa", cfa.lower(), "--out", tmp_path / "dark.dng").exit_code == 0
    assert read_photo(tmp_path / "dark.dng").cfa is cfa


def test_another_camera_has_its_own_levels_pattern_and_matrix(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "dark.dng"
    result = run(picture, "--sensor", "fujifilm x-t3", "--out", out)
    assert result.exit_code == 0, result.output
    assert "XTRANS of a Fujifilm X-T3" in result.stdout
    photo = read_photo(out)
    assert (photo.camera, photo.cfa, photo.white_level) == ("Fujifilm X-T3", Cfa.XTRANS, 16383)
    assert photo.black_level.tolist() == [1022] * 36
    assert photo.camera_from_xyz == pytest.approx(np.array(find_sensor("X-T3").camera_from_xyz), abs=1e-5)
    assert run(picture, "--sensor", "X-T3", "--cfa", "RGGB", "--out", out, "--overwrite").exit_code == 0
    assert read_photo(out).cfa is Cfa.RGGB


def test_the_cameras_can_be_listed() -> None:
    result = run("--list-sensors")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 50
    assert "Nikon D850" in result.stdout


def test_the_file_says_that_it_is_simulated_and_how(picture: Path, tmp_path: Path) -> None:
    run(picture, "--iso", 1600, "--ratio", 30, "--seed", 9, "--out", tmp_path / "dark.dng")
    with tifffile.TiffFile(tmp_path / "dark.dng") as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        said = page.tags["ImageDescription"].value
    assert said.startswith("Simulated, not taken: ISO 1600, exposure ratio 30, white balance ")
    assert said.endswith("tukey-lambda read noise, RGGB, seed 9")


def test_the_same_seed_gives_the_same_file_and_another_one_another(picture: Path, tmp_path: Path) -> None:
    digests = []
    for number, seed in enumerate((1, 1, 2)):
        run(picture, "--seed", seed, "--out", tmp_path / f"{number}.dng")
        digests.append(hashlib.sha256((tmp_path / f"{number}.dng").read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_a_random_balance_depends_on_the_seed(picture: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        run(picture, "--seed", seed, "--out", tmp_path / f"{seed}.dng")
    first, second = (read_photo(tmp_path / f"{seed}.dng").white_balance for seed in (1, 2))
    assert not np.allclose(first, second)


def test_compression_changes_the_size_alone(picture: Path, tmp_path: Path) -> None:
    plain, small = tmp_path / "plain.dng", tmp_path / "small.dng"
    run(picture, "--out", plain)
    run(picture, "--out", small, "--compress")
    assert small.stat().st_size < 0.6 * plain.stat().st_size
    assert np.array_equal(read_photo(plain).mosaic, read_photo(small).mosaic)


def test_a_large_picture_can_be_scaled_down(picture: Path, tmp_path: Path) -> None:
    run(picture, "--max-side", 60, "--out", tmp_path / "dark.dng")
    assert read_photo(tmp_path / "dark.dng").mosaic.shape == (40, 60)


def test_the_default_output_stands_beside_the_picture(picture: Path) -> None:
    assert run(picture).exit_code == 0
    assert read_photo(picture.with_name("photo_dark.dng")).iso == 3200


def test_nothing_is_overwritten_without_being_asked(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "dark.dng"
    out.write_bytes(b"mine")
    assert_refused(run(picture, "--out", out), "--overwrite", 1)
    assert out.read_bytes() == b"mine"
    assert run(picture, "--out", out, "--overwrite").exit_code == 0
    assert read_photo(out).iso == 3200


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        (("--iso", 30), "give 50 to 25600", 2),
        (("--ratio", 0.5), "give 1 to 10000", 2),
        (("--ratio", "nan"), "give 1 to 10000", 2),
        (("--sensor", "Nikon D85"), "perhaps Nikon D850", 2),
        (("--cfa", "RGB"), "give RGGB or BGGR", 2),
        (("--read-noise", "both"), "give tukey-lambda or gaussian", 2),
        (("--white-balance", "warm"), "give random or three gains", 2),
        (("--white-balance", "2,0,1"), "give random or three gains", 2),
        (("--white-balance", "-2,1,1"), "out of range", 2),
        (("--white-balance", "2,1,nan"), "out of range", 2),
        (("--white-balance", "1000,1,1"), "out of range", 2),
    ],
)
def test_a_bad_setting_gets_one_line(
    options: tuple[object, ...], said: str, code: int, picture: Path, tmp_path: Path
) -> None:
    assert_refused(run(picture, *options, "--out", tmp_path / "dark.dng"), said, code)
    assert not (tmp_path / "dark.dng").exists()


def test_a_bad_output_gets_one_line(picture: Path, tmp_path: Path) -> None:
    assert_refused(run(picture, "--out", tmp_path / "dark.jpg"), "ends in .dng", 2)
    assert_refused(run(picture, "--out", tmp_path / "none" / "dark.dng"), "cannot write", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.png"]


def test_what_is_no_picture_gets_one_line(picture: Path, tmp_path: Path) -> None:
    text, tiny = tmp_path / "a.jpg", tmp_path / "tiny.png"
    text.write_text("hello")
    Image.new("RGB", (10, 10)).save(tiny)
    run(picture, "--out", tmp_path / "raw.dng")
    for source, said in (
        (tmp_path / "none.jpg", "missing"),
        (tmp_path, "folder"),
        (text, "no picture"),
        (tmp_path / "raw.dng", "camera raw file"),
        (tiny, "22 a side"),
    ):
        assert_refused(run(source, "--out", tmp_path / "dark.dng"), said, 1)
        assert not (tmp_path / "dark.dng").exists()


@pytest.mark.parametrize(("cfa", "part", "suffix"), [("GBRG", "Sony", "ARW"), ("XTRANS", "Fuji", "RAF")])
def test_a_folder_of_pictures_becomes_a_miniature_of_sid(tmp_path: Path, cfa: str, part: str, suffix: str) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for shade in (90, 120, 150):
        Image.new("RGB", (530, 520), (shade, shade, shade)).save(pictures / f"{shade}.png")
    result = run(pictures, "--sid-tree", tmp_path / "SID", "--cfa", cfa, "--iso", 400, "--compress")
    assert result.exit_code == 0, result.output
    lists = {split: tmp_path / f"SID/{part}_{split}_list.txt" for split in ("train", "val", "test")}
    scenes = {split: file.read_text().splitlines() for split, file in lists.items()}
    assert {split: len(lines) for split, lines in scenes.items()} == {"train": 2, "val": 2, "test": 2}
    long = f"./{part}/long/20001_00_10s.{suffix}"
    assert scenes["val"][1] == f"./{part}/short/20001_00_0.04s.{suffix} {long} ISO400 F8"
    dark, bright = (read_photo(tmp_path / "SID" / name) for name in scenes["train"][0].split()[:2])
    assert (dark.cfa, dark.iso, dark.exposure_time, bright.exposure_time) == (Cfa(cfa), 400, 0.1, 10)
    above = [(photo.mosaic.astype(float) - photo.black_level[0]).mean() for photo in (dark, bright)]
    assert above[1] / above[0] == pytest.approx(100, rel=0.05)
    assert_refused(run(pictures, "--sid-tree", tmp_path / "SID", "--cfa", cfa), "--overwrite", 1)


def test_a_tree_that_cannot_be_made_gets_one_line(picture: Path, tmp_path: Path) -> None:
    assert_refused(run(tmp_path, "--sid-tree", tmp_path / "SID"), "1 picture(s) are too few", 2)
    Image.new("RGB", (120, 80)).save(tmp_path / "second.png")
    assert_refused(run(tmp_path, "--sid-tree", tmp_path / "SID", "--out", "a.dng"), "exclude each other", 2)
    assert_refused(run(tmp_path, "--sid-tree", tmp_path / "SID", "--cfa", "XTRANS"), "no X-Trans frame below 512", 2)
