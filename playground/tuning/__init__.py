"""From a question to a preset that one can defend: what settings allow, what they are worth, and how sure that is.

Stands on ``sampling/``, ``generation/`` and ``testtime/``. Knows no page.
"""
