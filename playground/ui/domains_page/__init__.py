"""The sections of the page Domains."""
