"""Training: data, loss, loop and settings. Needs the `train` extra."""
