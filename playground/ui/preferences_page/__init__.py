"""The page "Preferences", section by section: votes, strengths, a reward from them, and what comes of choosing by it."""
