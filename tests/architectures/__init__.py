"""Architectures beside the transformer."""
