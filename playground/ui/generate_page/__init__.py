"""The Generate page's sections, one module each."""
