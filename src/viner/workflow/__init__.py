"""Train, evaluate, export, quantize, choose, card: what `viner train` and the console both call."""
