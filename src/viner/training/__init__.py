"""The torch side: encoder and heads, examples, the training loop, checkpoints, export. Needs the extra ``train``."""
