"""`rdi bench --batch DIR`."""

import tempfile
from pathlib import Path

from rdi.cli.benchmarks.request import Figures, Request


def measure(request: Request) -> Figures:
    """Time a folder of raw photos against what its CPU work allows."""
    from rdi.runtime.batch_speed import measure_batch
    from rdi.runtime.targets import find_photos

    assert request.subject is not None
    photos = [photo.path for photo in find_photos([request.subject])]
    with tempfile.TemporaryDirectory() as out:
        return measure_batch(photos, Path(out), request.model)
