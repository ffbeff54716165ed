"""How much memory a backend of `backends` takes: the highest of a process that does nothing else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rdi.errors import RdiError
from rdi.export.benchmarks.backends import Backend, Files, Size, prepare
from rdi.memory import peak_resident_bytes


def peak_bytes(backend: Backend, files: Files, size: Size, threads: int) -> int:
    """Peak resident memory of a fresh process that runs the backend twice."""
    task = {
        "backend": backend,
        "files": [str(files.checkpoint), str(files.model), str(files.plain)],
        "size": size,
        "threads": threads,
    }
    command = [sys.executable, "-m", "rdi.export.benchmarks.backend_memory", json.dumps(task)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise RdiError(f"measuring the memory of {backend} failed: {reason[-1]}")
    return int(ended.stdout)


def _measure_here(task: dict[str, Any]) -> int:
    checkpoint, model, plain = map(Path, task["files"])
    height, width = task["size"]
    run = prepare(Backend(task["backend"]), Files(checkpoint, model, plain), (height, width), task["threads"])
    run()
    run()
    return peak_resident_bytes()


if __name__ == "__main__":
    print(_measure_here(json.loads(sys.argv[1])))
