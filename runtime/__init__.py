"""ONNX model -> restored picture, with ONNX Runtime; needs neither torch nor onnx."""
