"""The sections of the Best-of-N page. What they show is computed in ``testtime`` and drawn in ``charts``."""
