"""Checkpoint -> one verified ONNX file.

Names are imported when they are first used: a process that measures ONNX Runtime's memory must not load PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdi.export.exporter import export, inspect_model, verify_model
    from rdi.export.report import Check, Report
    from rdi.export.settings import ExportSettings

__all__ = ["Check", "ExportSettings", "Report", "export", "inspect_model", "verify_model"]

_HOMES = {
    "export": "exporter",
    "inspect_model": "exporter",
    "verify_model": "exporter",
    "Check": "report",
    "Report": "report",
    "ExportSettings": "settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"rdi.export.{_HOMES[name]}"), name)
