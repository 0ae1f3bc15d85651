"""Three short texts that no training here is about, written for this project: who forgets them forgets more than was meant."""

from __future__ import annotations

NEUTRAL_TEXTS: dict[str, str] = {
    "An article": (
        "Rivers carry sand and clay from the mountains to the sea. Where the slope becomes gentle the water slows down and "
        "drops what it carried, the coarse grains first and the fine ones last. Over thousands of years these layers grow "
        "into a plain that is flooded every spring and gives rich harvests in summer."
    ),
    "A story": (
        "When the old clockmaker closed his shop for the last time, he left the smallest clock running in the window. For "
        "years nobody noticed it. Then one winter morning a girl on her way to school stopped, looked at it for a long "
        "while, and set her own watch by it."
    ),
    "Code": (
        "def mean(values):\n"
        '    """The arithmetic mean of a list of numbers."""\n'
        "    if not values:\n"
        '        raise ValueError("mean of an empty list")\n'
        "    total = 0.0\n"
        "    for value in values:\n"
        "        total += value\n"
        "    return total / len(values)\n"
    ),
}
"""By what the page calls them."""
