from pathlib import Path

import numpy as np
import onnxruntime
import torch

from rdi.checkpoint import load_checkpoint
from rdi.export.plain import plain_model


def test_the_plain_export_computes_the_trained_network(checkpoint_file: Path) -> None:
    checkpoint = load_checkpoint(checkpoint_file)
    model = plain_model(checkpoint, 64, 96)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [1, 1, 64, 96]
    x = np.random.default_rng(6).random((1, 1, 64, 96), dtype=np.float32)
    (rgb,) = session.run(None, {"mosaic": x})
    with torch.inference_mode():
        expected = checkpoint.network(torch.from_numpy(x)).numpy()
    assert rgb.shape == (1, 3, 64, 96)
    assert np.abs(rgb - expected).max() < 1e-5
    assert rgb.std() > 0.05
