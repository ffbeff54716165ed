"""Checkpoint -> one verified ONNX file."""
