"""Data: what tokenizers make of texts, in which languages and of which domains, and what a model knows of them.

Pure maths and readers of files over the engine's ``Score`` facet. Knows no page, no browser and no class of transformers.
"""
