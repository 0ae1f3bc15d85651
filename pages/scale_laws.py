"""A Plan page."""

from playground.ui.frame import heading

heading("scale_laws", "Figures follow.")
