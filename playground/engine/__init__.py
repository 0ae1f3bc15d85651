"""The one seam to a model: the protocol, its data types, the transformers engine, the fake one, the shared worker."""
