"""A model as one ONNX file: its preprocessing, its network, its decoding."""
