"""The playground: see how a language model chooses its words.

Direction of the imports: ``pages -> ui -> charts -> (sampling, inspection, testtime, scaling) -> engine -> models``.
Only ``ui/`` knows streamlit; only ``models/`` and ``engine/`` know transformers' model classes.
"""

__version__ = "0.1.0"
