"""Report pages in a real browser: they move, zoom, fit a phone, read well in the dark, and fetch nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.camera import RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.models import shipped_sample

HOSTILE_NAME = '"><img src=x onerror=alert(1)><script>alert(2)</script>&amp;.dng'.replace("/", "\u2215")
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def photo_page(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the one photo that ships with rdi."""
    folder = tmp_path_factory.mktemp("page")
    words = ["infer", shipped_sample(), "--model", tiny_model, "--out", folder / "a.png", "--report", folder / "r.html"]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return folder / "r.html"


@pytest.fixture(scope="session")
def batch_page(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of several photos: one damaged, one of a hostile name."""
    folder = tmp_path_factory.mktemp("pages")
    for name in ("plain.dng", HOSTILE_NAME):
        (folder / name).write_bytes(shipped_sample().read_bytes())
    (folder / "cut.dng").write_bytes(shipped_sample().read_bytes()[:3000])
    words = ["infer", folder, "--model", tiny_model, "--out", folder / "out", "--report", folder / "r.html"]
    CliRunner().invoke(app, list(map(str, words)))
    return folder / "r.html"


@pytest.fixture(scope="session")
def compare_page(exported_model: Path, checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PyTorch against ONNX Runtime on one photo."""
    folder = tmp_path_factory.mktemp("compared")
    files = ["--model", exported_model, "--checkpoint", checkpoint_file, "--report", folder / "r.html"]
    words = ["compare", shipped_sample(), *files, "--runs", "1", "--no-memory"]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return folder / "r.html"


@pytest.fixture(scope="session")
def eval_page(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small pictures at two ratios."""
    folder = tmp_path_factory.mktemp("evaluated")
    for name, most in (("flat.png", 90), ("busy<b>.png", 250)):
        picture = np.random.default_rng(most).integers(60, most, (128, 192, 3)).astype(np.uint8)
        Image.fromarray(picture).save(folder / name)
    files = ["--photos", folder, "--model", tiny_model, "--report", folder / "r.html"]
    words = ["eval", *files, "--ratio", "10,30", "--with-paper"]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return folder / "r.html"


@pytest.fixture(scope="session")
def bench_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickest of the benchmarks."""
    page = tmp_path_factory.mktemp("bench") / "r.html"
    assert CliRunner().invoke(app, ["bench", "--macs", "--report", str(page)]).exit_code == 0
    return page


@pytest.fixture(params=["photo_page", "batch_page", "compare_page", "eval_page", "bench_page"])
def any_page(request: pytest.FixtureRequest) -> Path:
    page: Path = request.getfixturevalue(request.param)
    return page


def shown_before(tab: Any) -> float:
    """The share of the frame's width, 0 to 1, up to which the picture before is seen."""
    share: float = tab.evaluate(
        """() => {
            const sheet = document.querySelector(".sheet"), before = sheet.querySelector("img.before");
            const cut = getComputedStyle(before).clipPath.match(/ - ([0-9.]+)px\\) 0px 0px/) ?? [0, "0"];
            return parseFloat(cut[1]) / before.getBoundingClientRect().width;
        }"""
    )
    return share


def test_a_page_complains_of_nothing_and_fetches_nothing(visit: Callable[..., Any], any_page: Path) -> None:
    visited = visit(any_page)
    for button in visited.tab.locator("button").all():
        button.click()
    for folded in visited.tab.locator("summary").all():
        folded.click()
    assert visited.complaints == []
    assert visited.fetched == []
    assert visited.tab.evaluate("[...document.images].every(image => image.naturalWidth > 0)")


def test_the_policy_stops_what_should_slip_through(visit: Callable[..., Any], photo_page: Path, tmp_path: Path) -> None:
    """The policy itself is put to the test: the same page with a script, a picture and a style of somebody else."""
    slipped = "<img src='http://127.0.0.1:9/x.png'><script>document.title = 'owned'</script><p style='color:red'>x</p>"
    path = tmp_path / "slipped.html"
    path.write_text(photo_page.read_text("utf-8").replace("<main", f"{slipped}<main", 1), encoding="utf-8")
    visited = visit(path)
    assert visited.tab.title() != "owned"
    assert len([text for text in visited.complaints if "Content Security Policy" in text]) >= 3
    assert visited.tab.evaluate("getComputedStyle(document.querySelector('p[style]')).color") != "rgb(255, 0, 0)"


def test_the_line_follows_the_keyboard(visit: Callable[..., Any], photo_page: Path) -> None:
    tab = visit(photo_page).tab
    slider = tab.get_by_role("slider", name="Line between LibRaw, as bright and Restored")
    slider.focus()
    assert shown_before(tab) == pytest.approx(0.5, abs=0.01)
    for _ in range(10):
        tab.keyboard.press("ArrowRight")
    assert shown_before(tab) == pytest.approx(0.6, abs=0.01)
    assert slider.get_attribute("aria-valuetext") == "60 % LibRaw, as bright"
    tab.keyboard.press("Home")
    assert shown_before(tab) == pytest.approx(0, abs=0.01)
    tab.keyboard.press("End")
    assert shown_before(tab) == pytest.approx(1, abs=0.01)


def test_the_line_follows_the_mouse_on_the_picture(visit: Callable[..., Any], photo_page: Path) -> None:
    tab = visit(photo_page).tab
    box = tab.locator(".sheet").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 60, steps=4)
    assert shown_before(tab) == pytest.approx(0.2, abs=0.02)
    tab.mouse.up()
    tab.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60)
    assert shown_before(tab) == pytest.approx(0.2, abs=0.02)
    assert tab.get_by_role("slider").input_value() == "20"


def test_the_line_follows_a_finger(visit: Callable[..., Any], photo_page: Path) -> None:
    tab = visit(photo_page, viewport=PHONE, has_touch=True, is_mobile=True).tab
    box = tab.locator(".sheet").bounding_box()
    tab.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    assert shown_before(tab) == pytest.approx(0.75, abs=0.02)


def test_before_can_be_the_photo_as_it_was_shot(visit: Callable[..., Any], photo_page: Path) -> None:
    tab = visit(photo_page).tab
    tab.get_by_role("radio", name="LibRaw, as bright").focus()
    tab.keyboard.press("ArrowRight")
    seen = [image.is_visible() for image in tab.locator("img.before").all()]
    assert seen == [False, True]
    assert tab.get_by_role("slider").get_attribute("aria-label") == "Line between As shot and Restored"


@pytest.mark.parametrize("ratio", [1, 2])
def test_full_size_is_a_pixel_on_a_pixel_and_can_be_moved_about(
    visit: Callable[..., Any], photo_page: Path, ratio: int
) -> None:
    tab = visit(photo_page, viewport={"width": 280, "height": 200}, device_scale_factor=ratio).tab
    after = tab.locator("img.after")
    natural = after.evaluate("image => image.naturalWidth")
    assert after.bounding_box()["width"] < natural / ratio
    tab.get_by_role("button", name="Full size").click()
    assert after.bounding_box()["width"] == pytest.approx(natural / ratio, abs=0.5)
    stage = tab.locator(".stage")
    stage.scroll_into_view_if_needed()
    before = stage.evaluate("stage => [stage.scrollLeft, stage.scrollTop]")
    box = stage.bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 4
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 20, y - 10, steps=3)
    tab.mouse.up()
    assert stage.evaluate("stage => [stage.scrollLeft, stage.scrollTop]") == [before[0] + 20, before[1] + 10]
    stage.focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_timeout(300)  # it glides
    assert stage.evaluate("stage => stage.scrollLeft") > before[0] + 20
    seen = stage.evaluate("stage => stage.scrollLeft + stage.clientWidth / 2")
    line = tab.locator(".line").evaluate("line => parseFloat(getComputedStyle(line).left)")
    assert line == pytest.approx(seen, abs=30)  # the line stays in the middle of what is seen
    tab.get_by_role("button", name="Full size").click()
    assert after.bounding_box()["width"] < natural / ratio


@pytest.mark.parametrize("width", [320, 360, 400])
def test_nothing_is_wider_than_a_phone(visit: Callable[..., Any], any_page: Path, width: int) -> None:
    tab = visit(any_page, viewport={"width": width, "height": 740}).tab
    for folded in tab.locator("summary").all():
        folded.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


CONTRAST = """() => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
    const rgb = colour => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = colour => rgb(colour).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (rgb(colour)[3] > 0) return colour;
        }
        return "white";
    };
    const found = {};
    const texts = "h1, h2, h3, p, dt, dd, th, td, a, summary, figcaption, button, li, svg text, footer p";
    for (const element of document.querySelectorAll(texts)) {
        if (!element.textContent.trim()) continue;
        const style = getComputedStyle(element);
        const pair = [light(element.namespaceURI.endsWith("svg") ? style.fill : style.color), light(behind(element))];
        const [low, high] = pair.sort((a, b) => a - b);
        const name = element.tagName + "." + (element.getAttribute("class") ?? "");
        found[name] = Math.min(found[name] ?? 99, (high + 0.05) / (low + 0.05));
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast_in_both_schemes(visit: Callable[..., Any], any_page: Path, scheme: str) -> None:
    tab = visit(any_page, color_scheme=scheme).tab
    found = tab.evaluate(CONTRAST)
    assert len(found) >= 6
    assert {name: round(ratio, 1) for name, ratio in found.items() if ratio < 4.5} == {}
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = np.mean([int(part) for part in paper.strip("rgb()").split(",")])
    assert bright > 200 if scheme == "light" else bright < 40


def test_a_hostile_name_is_read_as_it_is(visit: Callable[..., Any], batch_page: Path) -> None:
    visited = visit(batch_page)
    assert visited.tab.get_by_role("heading", name=HOSTILE_NAME).count() == 1
    assert visited.complaints == []


def test_without_script_and_on_paper_all_pictures_are_seen(chromium: Any, photo_page: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(photo_page.as_uri())
    assert all(image.is_visible() for image in tab.locator("img").all())
    assert not tab.get_by_role("slider").is_visible()
    context.close()
    tab = chromium.new_page()
    tab.goto(photo_page.as_uri())
    tab.emulate_media(media="print")
    assert all(image.is_visible() for image in tab.locator("img").all())
    tab.close()


def test_a_plot_has_a_name_and_its_figures_as_a_table(visit: Callable[..., Any], photo_page: Path) -> None:
    tab = visit(photo_page).tab
    assert tab.get_by_role("img", name="Raw histogram and the amplifier's weights").is_visible()
    table = tab.get_by_role("table", name="Raw values in the amplifier's bins, eight to a row")
    assert not table.is_visible()
    tab.get_by_text("The figures as a table").press("Enter")
    assert table.is_visible()
    assert table.get_by_role("row").count() == 17


@pytest.mark.real_data
def test_twelve_megapixels_and_more_open_and_zoom(visit: Callable[..., Any], real_arw: Path, tmp_path: Path) -> None:
    words = ["infer", real_arw, "--out", tmp_path / "a.jpg", "--report", tmp_path / "r.html"]
    assert CliRunner().invoke(app, list(map(str, words))).exit_code == 0
    visited = visit(tmp_path / "r.html")
    visited.tab.get_by_role("button", name="Full size").click()
    assert visited.tab.locator("img.after").bounding_box()["width"] == 5184
    assert visited.complaints == []


def test_a_photo_without_a_rendering_is_shown_alone(
    visit: Callable[..., Any], tiny_model: Path, tmp_path: Path, dark_photo: RawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdi.errors import InputError
    from rdi.runtime import Restorer
    from rdi.runtime.outcomes import Outcome, Status
    from rdi.runtime.report import PhotoReport
    from rdi.runtime.summary import summarise
    from rdi.runtime.targets import Job

    class NoLibRaw:
        def call(self, *_: Any) -> Any:
            raise InputError("LibRaw <b>cannot</b>")

    write_dng(dark_photo, tmp_path / "a.dng")
    photo = dark_photo.replace(path=tmp_path / "a.dng")
    restored, job = Restorer(tiny_model).restore(photo), Job(tmp_path / "a.dng", tmp_path / "a.jpg")
    report = PhotoReport(tmp_path / "r.html", 1)
    report.show(job, photo, restored, NoLibRaw())  # type: ignore[arg-type]
    report.told_of(lambda _: None)(Outcome(job, Status.RESTORED, summarise(photo, restored, {})))
    report.write()
    visited = visit(tmp_path / "r.html")
    assert visited.tab.locator("img").count() == 1
    assert visited.tab.get_by_text("LibRaw <b>cannot</b>").is_visible()
    visited.tab.get_by_role("button", name="Full size").click()
    assert visited.complaints == []
