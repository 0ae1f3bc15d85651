"""The Sampling page's sections, one module each. The page script only says where they stand."""
