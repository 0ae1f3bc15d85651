"""The sections of the page Architectures."""
