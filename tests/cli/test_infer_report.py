"""`rdi infer --report`: a page for one photo and for many, within its bytes, whatever the files say of themselves."""

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.models import shipped_sample
from rdi.page.budget import MARKUP_DETAILED, PAGE

HOSTILE_NAME = '"><img src=x onerror=alert(1)>.dng'
HOSTILE_TEXT = "</p><script>alert(1)</script>"
MAKE, MODEL, ASCII = 271, 272, 2


def invoke(*arguments: str | Path):
    return CliRunner().invoke(app, ["infer", *map(str, arguments)])


@pytest.fixture
def night(tmp_path: Path, dark_photo: RawPhoto) -> Path:
    write_dng(dark_photo, tmp_path / "night.dng")
    return tmp_path / "night.dng"


def pictures_of(page: str) -> list[str]:
    return re.findall(r'<img src="data:image/jpeg;base64,[^"]+" alt="([^"]+)"', page)


def test_a_page_of_one_photo_has_it_in_three_forms_and_explains_its_exposure(tiny_model: Path, tmp_path: Path) -> None:
    page_path = tmp_path / "r.html"
    done = invoke(shipped_sample(), "--model", tiny_model, "--out", tmp_path / "a.png", "--report", page_path)
    assert done.exit_code == 0, done.output
    page = page_path.read_text("utf-8")
    names = [name.split(", ", 1)[1] for name in pictures_of(page)]
    assert names == ["Restored", "LibRaw, as bright", "As shot"]
    factor = re.search(r"amplification ([0-9.]+)", done.stdout)
    assert factor is not None
    assert f"<dt>Amplification used</dt><dd>{factor[1]} times</dd>" in page
    assert len(re.findall(r"<tbody>.*?</tbody>", page)[0].split("</tr>")) == 17  # 16 rows of bins
    assert page_path.stat().st_size < PAGE


def test_names_and_exif_of_a_photo_stay_text(
    tiny_model: Path, tmp_path: Path, dark_photo: RawPhoto, write_variant: Callable[..., Path]
) -> None:
    path = write_variant(dark_photo, {MAKE: (ASCII, "<b>Acme"), MODEL: (ASCII, HOSTILE_TEXT)})
    path = path.rename(tmp_path / HOSTILE_NAME)
    done = invoke(path, "--model", tiny_model, "--out", tmp_path / "a.png", "--report", tmp_path / "r.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert html.escape(HOSTILE_TEXT) in page
    assert html.escape(HOSTILE_NAME) in page


def test_a_name_that_is_no_utf_8_does_not_cost_the_page(tiny_model: Path, tmp_path: Path, night: Path) -> None:
    path = night.rename(tmp_path / "n\udcffight\u202e.dng")
    done = invoke(path, "--model", tiny_model, "--out", tmp_path / "a.png", "--report", tmp_path / "r.html")
    assert done.exit_code == 0, done.output
    assert "n\\udcffight\\u202e.dng" in (tmp_path / "r.html").read_text("utf-8")


def test_a_page_of_many_says_what_became_of_each_and_links_to_those_it_shows(
    tiny_model: Path, tmp_path: Path, dark_photo: RawPhoto
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a", "b"):
        write_dng(dark_photo, photos / f"{name}.dng")
    (photos / "cut.dng").write_bytes((photos / "a.dng").read_bytes()[:3000])
    done = invoke(photos, "--model", tiny_model, "--out", tmp_path / "out", "--report", tmp_path / "r.html")
    assert done.exit_code == 1
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "2 restored, 1 failed" in page
    links, anchors = (re.findall(pattern, page) for pattern in (r'href="#([^"]+)"', r'<section id="([^"]+)"'))
    assert links == anchors == ["photo-0", "photo-1"]
    assert re.search(r'<th scope="row">cut.dng</th><td>failed: [^<]*cut off', page)
    assert len(pictures_of(page)) == 6


def test_a_bracket_names_its_pictures(tiny_model: Path, tmp_path: Path, night: Path) -> None:
    invoke(night, "--model", tiny_model, "--bracket", "-1,0", "--report", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert {"night_restored_-1EV.jpg", "night.dng"} <= set(re.findall(r">([^<>]+)</a>", page))


def test_a_report_that_exists_stays_unless_it_may_be_replaced(tiny_model: Path, tmp_path: Path, night: Path) -> None:
    """So that the same command goes on with a batch that was broken off, and its page stays."""
    report, second = tmp_path / "r.html", tmp_path / "r-2.html"
    report.write_text("mine")
    done = invoke(night, "--model", tiny_model, "--report", report)
    assert done.exit_code == 0, done.output
    assert f"report {report} was there and is left as it was; this run's is {second}" in done.stderr
    assert report.read_text() == "mine"
    assert len(pictures_of(second.read_text("utf-8"))) == 3
    again = invoke(night, "--model", tiny_model, "--report", report)
    assert again.exit_code == 0, again.output
    assert f"report {report} is not written: no picture was made" in again.stderr
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["r-2.html", "r.html"]
    assert invoke(night, "--model", tiny_model, "--report", report, "--overwrite").exit_code == 0
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_a_memory_limit_and_a_report_exclude_each_other(tiny_model: Path, tmp_path: Path, night: Path) -> None:
    refused = invoke(night, "--model", tiny_model, "--report", tmp_path / "r.html", "--max-memory", "900MB")
    assert refused.exit_code == 2
    assert "leave --report or --max-memory out" in refused.stderr


def test_a_skipped_photo_is_named_and_not_shown(tiny_model: Path, tmp_path: Path, night: Path) -> None:
    invoke(night, "--model", tiny_model)
    assert invoke(night, "--model", tiny_model, "--report", tmp_path / "r.html").exit_code == 0
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "skipped: its files are there already" in page
    assert pictures_of(page) == []


def test_a_batch_that_is_broken_off_leaves_a_page_of_what_was_done(tiny_model: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        shutil.copyfile(shipped_sample(), tmp_path / f"{name}.dng")
    breaks_off = "import os, signal\nfrom rdi.cli import reports\nshow = reports.show\n"
    breaks_off += "reports.show = lambda text: (show(text), os.kill(os.getpid(), signal.SIGINT))\n"
    command = [sys.executable, "-c", f"{breaks_off}from rdi.cli.main import app\napp()", "infer", str(tmp_path)]
    command += ["--model", str(tiny_model), "--out", str(tmp_path / "out"), "--report", str(tmp_path / "r.html")]
    broken_off = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert broken_off.returncode == 130, broken_off.stderr
    told = [line for line in broken_off.stdout.splitlines() if line.startswith("[")]
    page = (tmp_path / "r.html").read_text("utf-8")
    assert 1 <= len(told) < 3
    assert "sample.dng" not in page
    assert f">{tmp_path / 'a.dng'}<" in page or ">a.dng<" in page
    again = invoke(tmp_path, "--model", tiny_model, "--out", tmp_path / "out", "--report", tmp_path / "r.html")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "r.html").read_text("utf-8") == page
    assert f"{len(told)} skipped" in again.stderr
    assert (tmp_path / "r-2.html").exists()


def test_many_photos_share_one_page(tiny_model: Path, tmp_path: Path) -> None:
    """Noise is what compresses worst: no real photo needs more."""
    from rdi.isolated import IsolatedProcess
    from rdi.runtime import Restorer
    from rdi.runtime.outcomes import Outcome, Status
    from rdi.runtime.report import PhotoReport
    from rdi.runtime.summary import summarise
    from rdi.runtime.targets import Job

    mosaic = np.random.default_rng(5).integers(512, 16383, (160, 240)).astype(np.uint16)
    write_dng(RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0), tmp_path / "noise.dng")
    photo = RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0, path=tmp_path / "noise.dng")
    restored = Restorer(tiny_model).restore(photo)
    limit = 2_500_000
    report = PhotoReport(tmp_path / "r.html", 100, page=limit)
    tell = report.told_of(lambda _: None)
    with IsolatedProcess() as process:
        for number in range(100):
            job = Job(tmp_path / f"a_rather_long_name_of_a_photo_{number:05}.ARW", tmp_path / f"{number:05}.jpg")
            report.show(job, photo, restored, process)
            tell(Outcome(job, Status.RESTORED, summarise(photo, restored, {"decode": 1000.0, "network": 9000.0})))
    report.write()
    size = (tmp_path / "r.html").stat().st_size
    assert limit / 2 < size < limit
    assert len(pictures_of((tmp_path / "r.html").read_text("utf-8"))) == 300


def test_the_exposure_of_a_photo_takes_less_than_its_share_of_markup(tiny_model: Path, tmp_path: Path) -> None:
    invoke(shipped_sample(), "--model", tiny_model, "--out", tmp_path / "a.png", "--report", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text("utf-8")
    main = re.sub(r'data:[^"]+', "", page[page.index("<main") : page.index("</main>")])
    assert len(main.encode()) < MARKUP_DETAILED


@pytest.mark.real_data
def test_a_real_photo_at_full_size_keeps_below_eight_megabytes(real_arw: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    words = ["rdi", "infer", str(real_arw), "--out", str(tmp_path / "a.jpg"), "--report", str(report)]
    program = (
        f"import sys; sys.argv = {words!r}\n"
        "from rdi.cli.main import app\ntry:\n    app()\nfinally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {"torch", "onnx", "scipy", "skimage"} & set(done.stderr.split())
    assert report.stat().st_size < PAGE
    assert report.read_text("utf-8").count('width="5184" height="3464"') == 2
