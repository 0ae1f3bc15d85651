"""A Plan page."""

from playground.ui.frame import heading

heading("scale_training", "Figures follow.")
