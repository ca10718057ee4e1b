"""Models as ONNX graphs that load back through the same protocols."""
