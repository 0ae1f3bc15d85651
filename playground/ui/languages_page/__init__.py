"""The sections of the page Languages."""
