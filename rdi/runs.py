"""Where training runs lie: `runs/DATE/checkpoint.safetensors`, in the current folder."""

from datetime import datetime
from pathlib import Path

RUNS = Path("runs")
CHECKPOINT = "checkpoint.safetensors"


def new_run() -> Path:
    """A folder for a run that starts now; not made yet."""
    return RUNS / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")


def newest_checkpoint() -> Path | None:
    """The checkpoint that was written last; None where there is no run."""
    return max(RUNS.glob(f"*/{CHECKPOINT}"), key=lambda path: path.stat().st_mtime, default=None)
