"""Other architectures than the transformer: what grows with the text, what fits through a bottleneck, how each remembers.

``layers/`` are small readable modules, ``families.py`` models of equal size with random weights, ``race.py`` measures
them, ``tasks.py`` and ``learning.py`` train small models on synthetic tasks. Knows no browser and no page.
"""
