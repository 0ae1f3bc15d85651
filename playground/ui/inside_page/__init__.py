"""The page "Inside the model", section by section: the lens, the anatomy, and what a forward pass costs."""
