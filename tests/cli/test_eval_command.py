"""`rdi eval` as a user calls it."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from typer.testing import CliRunner

from rdi.camera import read_photo
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.metadata import ModelMetadata


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "ab":
        Image.effect_noise((210, 100), 60).convert("RGB").save(folder / f"{name}.png")
    return folder


def run(*arguments: object):
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_model_and_its_weights_score_alike(photos: Path, exported_model: Path, checkpoint_file: Path) -> None:
    models = ["--model", exported_model, "--model", checkpoint_file]
    result = run("--photos", photos, "--ratio", 100, *models, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [(mean["exposure"], mean["captures"]) for mean in found["means"]] == [("gt", 2)] * 2 + [("paper", 2)] * 2
    for one, other in (found["means"][:2], found["means"][2:]):
        for figure in ("psnr", "ssim", "psnr_8bit", "ssim_8bit"):
            assert one[figure] == pytest.approx(other[figure], abs=1e-2)
    assert len(found["captures"]) == 8
    assert {row["ma"] for row in found["captures"]} == {None}


def test_by_default_three_ratios_and_both_exposures_are_measured(photos: Path, tiny_model: Path) -> None:
    result = run("--photos", photos, "--model", tiny_model)
    assert result.exit_code == 0, result.output
    lines = [line.split(" | ")[:4] for line in result.stdout.splitlines() if line.startswith("| ratio")]
    expected = [f"| ratio {ratio}" for ratio in (100, 250, 300) for _ in "gp"]
    assert [line[0] for line in lines] == expected
    assert [line[1] for line in lines] == ["gt", "paper"] * 3
    assert "not measured" in result.stdout
    assert "[12/12]" in result.stderr


def test_a_list_chooses_the_photos(photos: Path, tiny_model: Path) -> None:
    (photos / "VALIDATION.txt").write_text("b.png\n")
    result = run("--photos", photos, "--ratio", 50, "--model", tiny_model, "--exposure", "gt")
    assert result.exit_code == 0, result.output
    assert "b.png" in result.stderr
    assert "a.png" not in result.stderr
    assert f"| ratio 50 | gt | {tiny_model.name} | 1 |" in result.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")
def test_file_names_that_are_no_text_and_end_cells_are_measured_and_written(
    photos: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (photos / "a.png").rename(photos / "a\udcff|\u202e.png")
    model = Path(shutil.copy(tiny_model, tmp_path / "m|n.onnx"))
    files = [tmp_path / f"out{suffix}" for suffix in (".csv", ".md", ".html")]
    written = ["--csv", files[0], "--out", files[1], "--report", files[2]]
    result = run("--photos", photos, "--ratio", 50, "--model", model, "--exposure", "gt", *written)
    assert result.exit_code == 0, result.output
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert "a\\udcff|" in texts[0]
    assert "| gt | m\\|n.onnx | 2 |" in texts[1]
    assert "a\\udcff|\\u202e.png" in texts[2]


def test_auto_is_what_infer_does(photos: Path, tiny_model: Path) -> None:
    """It never amplifies more than the paper's estimate."""
    result = run("--photos", photos, "--ratio", 20, "--model", tiny_model, "--exposure", "paper,auto", "--json")
    assert result.exit_code == 0, result.output
    used = [row["amplification"] for row in json.loads(result.stdout)["captures"]]
    assert all(auto <= paper for paper, auto in zip(used[::2], used[1::2], strict=True))


def test_sid_is_measured_over_all_and_by_ratio_with_the_paper_beside(sid_tree: Path, tiny_model: Path) -> None:
    result = run("--sid", sid_tree, "--model", tiny_model, "--exposure", "gt", "--with-paper")
    assert result.exit_code == 0, result.output
    groups = [line.split(" | ")[0] for line in result.stdout.splitlines() if "| gt |" in line]
    assert groups == ["| all", "| ratio 100", "| ratio 250"]
    assert "not measured here" in result.stdout
    assert "do not compare" not in result.stdout


def test_scenes_known_as_misaligned_are_left_out_of_a_second_mean(sid_copy: Path, tiny_model: Path) -> None:
    part, file = sid_copy / "Sony", sid_copy / "Sony_test_list.txt"
    old = next((part / "short").glob("10001_*")).name[:5]
    for path in [*part.rglob(f"{old}_*")]:
        path.rename(path.with_name(path.name.replace(old, "10034")))
    file.write_text(file.read_text().replace(old, "10034") + (sid_copy / "Sony_val_list.txt").read_text())
    result = run("--sid", sid_copy, "--model", tiny_model, "--exposure", "gt", "--json")
    assert result.exit_code == 0, result.output
    counts = {mean["group"]: mean["captures"] for mean in json.loads(result.stdout)["means"]}
    assert (counts["all"], counts["all but the misaligned"]) == (4, 2)


def test_xtrans_pairs_are_measured_with_xtrans_weights_and_refused_by_bayer_models(
    sid_tree: Path, tiny_model: Path, tmp_path: Path
) -> None:
    import torch

    from rdi.camera.cfa import Cfa
    from rdi.checkpoint import save_checkpoint
    from rdi.network import RestorationNetwork

    with torch.random.fork_rng():
        torch.manual_seed(1)
        weights = tmp_path / "xtrans.safetensors"
        save_checkpoint(RestorationNetwork().eval(), ModelMetadata(variant="test", cfa=Cfa.XTRANS), weights)
    fuji = ["--sid", sid_tree, "--camera", "fuji", "--exposure", "gt"]
    result = run(*fuji, "--model", weights)
    assert result.exit_code == 0, result.output
    assert "Fuji part" in result.stdout
    refused = run(*fuji, "--model", tiny_model)
    assert refused.exit_code == 1
    assert "X-Trans" in refused.stderr
    mixed = run("--photos", sid_tree / "pictures-RGGB", "--model", weights, "--model", tiny_model)
    assert mixed.exit_code == 2
    assert "different patterns" in mixed.stderr


def test_own_pairs_without_a_known_ratio_are_measured_with_the_estimate(
    sid_tree: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    dark = next((sid_tree / "Sony" / "short").glob("10001_00_0.1s*"))
    (folder / "night.dng").write_bytes(dark.read_bytes())
    Image.fromarray(np.full((210, 260, 3), 90, np.uint8)).save(folder / "night.png")
    result = run("--pairs", folder, "--model", tiny_model)
    assert result.exit_code == 0, result.output
    assert "the true ratio is not known" in result.stderr
    assert "| all | paper |" in result.stdout
    assert "| all | gt |" not in result.stdout
    nothing = run("--pairs", folder, "--model", tiny_model, "--exposure", "gt")
    assert nothing.exit_code == 2
    assert "add paper or auto" in nothing.stderr


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_infer_makes_of_a_photo_is_perfect_as_its_reference(
    sid_tree: Path, tiny_model: Path, tmp_path: Path, orientation: int
) -> None:
    """Photo and reference meet pixel for pixel, however the camera was held."""
    folder = tmp_path / "own"
    folder.mkdir()
    dark = read_photo(next((sid_tree / "Sony" / "short").glob("10001_00_0.1s*")))
    write_dng(dark.replace(orientation=orientation), folder / "night.dng")
    restored = tmp_path / "restored.png"
    infer = ["infer", folder / "night.dng", "--out", restored, "--model", tiny_model]
    assert CliRunner().invoke(app, [*map(str, infer)]).exit_code == 0
    # Without its profile, which names rdi's curve: references are read as sRGB.
    Image.fromarray(np.asarray(Image.open(restored))).save(folder / "night.png")
    result = run("--pairs", folder, "--model", tiny_model, "--exposure", "auto", "--json")
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)["captures"]
    assert row["psnr_8bit"] is None or row["psnr_8bit"] > 70  # None: infinite
    assert row["ssim"] == pytest.approx(1, abs=1e-3)


def test_the_csv_is_gone_on_with(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    table, whole = tmp_path / "figures.csv", ["--photos", photos, "--model", tiny_model, "--exposure", "gt"]
    assert run(*whole, "--ratio", "100", "--csv", table).exit_code == 0
    assert len(rows_of(table)) == 2
    assert {row["ma"] for row in rows_of(table)} == {"not measured"}
    assert run(*whole, "--ratio", "100,300", "--csv", table).exit_code == 1
    result = run(*whole, "--ratio", "100,300", "--csv", table, "--resume")
    assert result.exit_code == 0, result.output
    assert "2 of 4 pictures are measured already" in result.stderr
    assert len(rows_of(table)) == 4
    assert "| ratio 100 | gt | tiny.onnx | 2 |" in result.stdout
    assert run(*whole, "--ratio", "100", "--csv", table, "--overwrite").exit_code == 0
    assert len(rows_of(table)) == 2


def test_an_interrupted_run_keeps_what_it_has(photos: Path, tiny_model: Path, tmp_path: Path, monkeypatch) -> None:
    from rdi.evaluation.running import Evaluator

    finish = Evaluator._finish

    def interrupted(self, pending):
        if pending.listed.name == "b.png":
            raise KeyboardInterrupt
        return finish(self, pending)

    monkeypatch.setattr(Evaluator, "_finish", interrupted)
    table = tmp_path / "figures.csv"
    result = run("--photos", photos, "--model", tiny_model, "--ratio", 100, "--csv", table)
    assert result.exit_code != 0
    assert "2 of 4 pictures; --resume" in result.stderr
    assert [row["capture"] for row in rows_of(table)] == ["a.png"] * 2


def test_onnx_models_are_measured_without_pytorch(photos: Path, tiny_model: Path) -> None:
    """The extras cpu and eval have to do."""
    arguments = ["rdi", "eval", "--photos", str(photos), "--ratio", "100", "--model", str(tiny_model)]
    program = (
        f"import sys; sys.argv = {arguments!r}\nfrom rdi.cli.main import app\n"
        "try:\n    app()\nfinally:\n    print('loaded', *sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.split("loaded")[-1].split())
    assert "onnxruntime" in loaded
    assert not {"torch", "onnx", "rich"} & loaded


def test_ma_is_measured_with_its_forests(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    leaf = {name: np.zeros((1, 1), np.int32) for name in ("lDau", "rDau", "mbest")}
    forest = {**leaf, "upper": np.zeros((1, 1)), "avnode": np.full((1, 1), 2.0)}
    cells = np.empty((3, 1), dtype=object)
    cells[:, 0] = [forest] * 3
    savemat(tmp_path / "model.mat", {"model": {"rf": cells, "linear": np.array([[0.5], [1], [1], [0]])}})
    options = ["--photos", photos, "--model", tiny_model, "--ratio", 100, "--exposure", "gt"]
    result = run(*options, "--ma-model", tmp_path / "model.mat", "--out", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out.json").read_text())["means"][0]["ma"] == 4.5
    assert "not measured" not in result.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--ratio", "many"], "--ratio many"),
        (["--ratio", "0.5"], "out of range"),
        (["--iso", "1"], "ISO 1 "),
        (["--list", "none.txt"], "--list none.txt does not exist"),
        (["--model", "a.pth"], "neither .onnx nor .safetensors"),
        (["--model", "none.onnx"], "none.onnx does not exist"),
        (["--exposure", "best"], "--exposure best"),
        (["--ma-model", "none.mat"], "none.mat does not exist"),
        (["--camera", "sony"], "--camera is an option of --sid"),
        (["--sid", "."], "--photos and --sid"),
        (["--out", "figures.txt"], "--out figures.txt"),
        (["--out", "nowhere/figures.md"], "the folder nowhere does not exist"),
        (["--resume"], "--csv"),
    ],
)
def test_mistakes_get_one_line(photos: Path, tiny_model: Path, options: list[str], reason: str) -> None:
    model = [] if "--model" in options else ["--model", str(tiny_model)]
    result = run("--photos", photos, *model, *options)
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_something_to_measure_on_is_needed() -> None:
    result = run()
    assert result.exit_code == 2
    assert "one of --photos DIR, --sid DIR, --pairs DIR and --chart" in result.stderr


def test_a_model_that_is_given_twice_is_refused(photos: Path, tiny_model: Path) -> None:
    result = run("--photos", photos, "--model", tiny_model, "--model", tiny_model)
    assert result.exit_code == 2
    assert "given twice" in result.stderr


def test_a_provider_that_nothing_would_run_on_is_refused(photos: Path, checkpoint_file: Path) -> None:
    result = run("--photos", photos, "--model", checkpoint_file, "--provider", "cuda")
    assert result.exit_code == 2
    assert "--provider cuda is for .onnx models" in result.stderr


def test_a_chart_is_measured_for_cameras_renderings_and_libraw(camera_model: Path, tiny_model: Path, tmp_path: Path):
    out = tmp_path / "colours.json"
    models = ["--model", camera_model, "--model", tiny_model]
    result = run("--chart", "--sensors", "Nikon D850,Pentax K-1", *models, "--out", out)
    assert result.exit_code == 0, result.output
    assert f"| camera | {camera_model.name} | {tiny_model.name} | LibRaw |" in result.stdout
    assert "Pentax K-1  LibRaw" in result.stderr
    found = json.loads(out.read_text())
    assert (found["iso"], found["ratio"], len(found["rows"])) == (3200, 100, 6)
    # A gamut mapping of its own is what the default shows; the clipped colours are others.
    clipped = run("--chart", "--sensors", "Nikon D850", "--model", camera_model, "--gamut", "clip", "--json")
    assert json.loads(clipped.stdout)["rows"][0]["mean"] != found["rows"][0]["mean"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--chart", "--csv", "x.csv"], "--csv is of no use with --chart"),
        (["--chart", "--exposure", "auto"], "--exposure is of no use with --chart"),
        (["--chart", "--with-paper"], "--with-paper is of no use with --chart"),
        (["--chart", "--camera", "sony"], "--camera is an option of --sid, not of --chart"),
        (["--chart", "--ratio", "100,300"], "one ratio"),
        (["--chart", "--sensors", "Nikon D851"], "Nikon D850"),
        (["--chart", "--sensors", "Fujifilm X-T2"], "XTRANS"),
        (["--chart", "--photos", "."], "--photos and --chart"),
        (["--sid", ".", "--sensors", "Nikon D850"], "--sensors is an option of --photos and --chart, not of --sid"),
        (["--chart", "--sensors", "Nikon D850,nikon d850"], "names a camera twice"),
        (["--chart", "--skip-missing"], "--skip-missing is of no use with --chart"),
        (["--sid", ".", "--iso", "100"], "--iso is an option of --photos and --chart, not of --sid"),
        (["--chart", "--gamut", "squeeze"], "compress or clip"),
    ],
)
def test_options_that_a_chart_cannot_use_are_refused(tiny_model: Path, arguments: list[str], complaint: str) -> None:
    result = run(*arguments, "--model", tiny_model)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


def test_photos_are_seen_through_the_matrices_of_other_cameras(photos: Path, camera_model: Path) -> None:
    arguments = ["--photos", photos, "--ratio", 100, "--exposure", "gt", "--model", camera_model, "--json"]
    result = run(*arguments, "--sensors", "Nikon D850,Canon EOS 30D")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    names = [f"{name}.png by {camera}" for name in "ab" for camera in ("Nikon D850", "Canon EOS 30D")]
    assert [row["capture"] for row in found["captures"]] == names
    assert found["data"]["matrices of"] == ["Nikon D850", "Canon EOS 30D"]
    assert [mean["captures"] for mean in found["means"]] == [4]
    own = json.loads(run(*arguments).stdout)
    assert len({row["psnr"] for row in found["captures"]} | {row["psnr"] for row in own["captures"]}) == 6


def test_models_that_ship_go_by_their_names() -> None:
    result = run("--chart", "--sensors", "Nikon D850", "--model", "rdi-srgb", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"][0]["rendering"] == "rdi-srgb.onnx"
