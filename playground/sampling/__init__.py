"""Pure maths on logits: samplers, their chain and its trace, the draw, presets, orders, export as code."""
