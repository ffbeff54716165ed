from pathlib import Path

from rdi.checkpoint import load_checkpoint
from rdi.export import inspect_model


def test_an_exported_model_passes_its_own_verification(exported_model: Path, checkpoint_file: Path) -> None:
    report = inspect_model(exported_model, load_checkpoint(checkpoint_file))
    print(report.table())
    assert report.passed
