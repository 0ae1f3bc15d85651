"""An engine with known logits, for tests and for pages without a model."""
