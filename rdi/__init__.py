"""Restore photos taken in near darkness: raw Bayer mosaic in, clean sRGB picture out."""

import os

__version__ = "0.1.0"

# onnxruntime 1.29 and later tells Microsoft of every process that imports it and of every model, unless this stands in
# the environment before the import; its own `disable_telemetry_events` comes too late. Who wants it sets 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
