"""Checkpoint -> one verified ONNX file."""

from rdi.export.exporter import export, inspect_model, verify_model
from rdi.export.report import Check, Report

__all__ = ["Check", "Report", "export", "inspect_model", "verify_model"]
