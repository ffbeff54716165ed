"""Plots as files of their own."""

from xml.etree import ElementTree

from rdi.page import Plot, Series
from rdi.page.axes import linear_axis
from rdi.page.svg import svg_file

SVG = "{http://www.w3.org/2000/svg}"


def plot(title: str, names: list[str]) -> Plot:
    axis = linear_axis("megapixels", [0, 10])
    return Plot(title, "", axis, axis, [Series(name, [(1, 2), (3, 4)]) for name in names])


def test_a_file_is_well_formed_and_escapes_what_it_is_given() -> None:
    root = ElementTree.fromstring(svg_file([plot("Time", ["<b>&"])], 'made on "x" <y>'))
    texts = [item.text for item in root.iter(f"{SVG}text")]
    assert {"Time", "<b>&", 'made on "x" <y>', "megapixels"} <= set(texts)


def test_a_series_has_one_colour_in_all_plots_and_one_entry_in_the_legend() -> None:
    root = ElementTree.fromstring(svg_file([plot("Time", ["a", "b"]), plot("Memory", ["b"])], ""))
    drawn = [group.get("class") for group in root.iter(f"{SVG}g") if group.find(f"{SVG}circle") is not None]
    assert drawn == ["s0", "s1", "s1"]
    assert [item.text for item in root.iter(f"{SVG}text")].count("b") == 1


def test_everything_lies_within_the_drawing_with_many_series_too() -> None:
    root = ElementTree.fromstring(svg_file([plot("Time", [f"n{i}" for i in range(12)])], "word " * 80))
    *_, height = map(float, root.attrib["viewBox"].split())
    captions = [float(item.attrib["y"]) for item in root.iter(f"{SVG}text") if item.get("class") == "small"]
    assert len(captions) > 3
    assert max(captions) < height
    dashed = [item for item in root.iter(f"{SVG}polyline") if item.get("class") == "curve dashed"]
    assert len(dashed) == 12  # lines seven to twelve and their keys
