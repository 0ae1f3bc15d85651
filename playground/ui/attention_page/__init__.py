"""The Attention page, section by section."""
