"""The torch side: heads, model, data, trainer, checkpoint, export to ONNX."""
