"""Report pages: one HTML file that needs nothing but itself, from sections, tables, plots and pictures.

The commands hand their results to modules of their own that make sections of them (`rdi.runtime.report`,
`rdi.export.comparison_page`, ...); what stands here knows of no command. Nothing here needs more than Pillow.
"""

from rdi.page.document import Page, Section, render, require_page_path, write_page
from rdi.page.markup import Html, element, paragraph
from rdi.page.pictures import EncodedPicture, encode_within
from rdi.page.plots import Bars, Plot, Series, bars, plot
from rdi.page.tables import Column, Table, facts, table
from rdi.page.viewer import Layer, viewer

__all__ = [
    "Bars",
    "Column",
    "EncodedPicture",
    "Html",
    "Layer",
    "Page",
    "Plot",
    "Section",
    "Series",
    "Table",
    "bars",
    "element",
    "encode_within",
    "facts",
    "paragraph",
    "plot",
    "render",
    "require_page_path",
    "table",
    "viewer",
    "write_page",
]
