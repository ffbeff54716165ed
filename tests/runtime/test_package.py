"""The onnxruntime package as rdi loads it."""

import os
import subprocess
import sys
from pathlib import Path


def test_onnxruntime_leaves_no_identifier_and_no_session_file(tmp_path: Path) -> None:
    """From 1.32 on it has telemetry on Linux, too."""
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    program = "from rdi.runtime.package import import_onnxruntime; import_onnxruntime().get_available_providers()"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
