"""The page of `rdi infer --report`: each photo before and after, and why it was made as bright as it was."""

from rdi.runtime.report.photos import PhotoReport

__all__ = ["PhotoReport"]
