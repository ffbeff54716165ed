"""The page of `rdi bench --report`: the tables that it prints, and of the backends the plots."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from rdi.page import Page, Section, plot, write_page
from rdi.page.markdown import from_markdown
from rdi.page.markup import Html, element

if TYPE_CHECKING:
    from rdi.cli.benchmarks.request import Drawable, Figures
    from rdi.runtime.machine import Machine

TITLES = {
    "backends": "Time and memory of the backends",
    "macs": "Parameters and MACs",
    "stages": "From raw file to picture, stage by stage",
    "branches": "The network, part by part",
    "parallel": "Branches in sequence against all at once",
    "rewrites": "Each rewrite of the graph against what it replaces",
    "encoders": "Picture encoders",
    "batch": "A batch against what its work allows",
    "training": "Training's steps against a plain loop's",
}


def write_bench_page(path: Path, mode: str, result: "Figures", machine: "Machine", *, drawable: bool) -> None:
    """Write what a mode found as a page.

    drawable: whether the mode has plots
    Raises OutputError where the path cannot be written.
    """
    title = TITLES[mode]
    sections = [Section("Figures", from_markdown(result.markdown(), title))]
    if drawable:
        sections.insert(0, Section("Over the size of the frame", _plots(cast("Drawable", result))))
    write_page(Page(title, machine.describe(), sections), path)


def _plots(result: "Drawable") -> Html:
    """Latency and memory over megapixels; their figures stand in the table."""
    drawn = (plot(content, f"p{place}") for place, content in enumerate(result.plots()))
    return element("div", *drawn, class_="charts")
