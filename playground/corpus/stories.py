"""Text whose quality is known: small stories made by a grammar, and what the web would put between them.

A model of a hundred thousand parameters can learn these in a minute, which it could not learn of the web. Clean text is
stories alone; of noisy text a part is advertising, menus, tables or stories with their words in disorder.
"""

from __future__ import annotations

import random

_WHO = (
    "the fox",
    "the old man",
    "a girl",
    "the baker",
    "a small dog",
    "the queen",
    "her brother",
    "the miller",
    "a frog",
    "the twins",
)
_PLACE = ("the river", "the hill", "a dark wood", "the market", "the mill", "an empty house", "the sea", "the garden")
_THING = (
    "a red hat",
    "a loaf of bread",
    "a broken bell",
    "a silver key",
    "an apple",
    "a letter",
    "a blue stone",
    "a candle",
)
_FEEL = ("glad", "afraid", "tired", "proud", "lonely", "curious", "hungry")
_WEATHER = ("It was raining", "The sun was warm", "Snow had fallen", "The wind was strong", "It was a quiet morning")
_FRAMES = (
    "{weather} when {who} came to {place}. There {who2} sat and held {thing}. “What have you got there?” asked {who}. "
    "“It is {thing},” said {who2}, “and it is not for sale.” So they shared it, and both were {feel}.",
    "Once {who} lost {thing} near {place}. {who} looked for it all day and was {feel}. In the evening {who2} brought it "
    "back and wanted nothing for it. From that day on they were friends.",
    "{who2} lived by {place} and was always {feel}. One day {who} gave {who2} {thing}. “Keep it well,” said {who}. {weather}, "
    "but nobody minded any more.",
    "Nobody knew why {who} went to {place} every night. {who2} followed and saw {thing} under a tree. “Now you know,” said "
    "{who}. They went home together, {feel} and silent.",
)
_NOISE = (
    "BUY NOW!!! best price {n} best deal {n} click here >>> www.deal{n}.example <<< free shipping free shipping",
    "Home | About | Login | Basket ({n}) | Terms | Privacy | © {n} All rights reserved | Cookie settings",
    "{n}.99 {n}.49 10-{n} 0{n} 77{n} {n}/{n}/{n} ;;; ### {n} {n} {n} --- {n}",
    "xXx casino jackpot {n}% bonus!!! win win win {n} spins no deposit !!! play play play",
)


def story(draw: random.Random) -> str:
    """One paragraph."""
    who, who2 = draw.sample(_WHO, 2)
    words = {
        "who": who,
        "who2": who2,
        "place": draw.choice(_PLACE),
        "thing": draw.choice(_THING),
        "feel": draw.choice(_FEEL),
        "weather": draw.choice(_WEATHER),
    }
    text = draw.choice(_FRAMES).format(**words)
    return ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))


def _noise(draw: random.Random) -> str:
    if draw.random() < 0.3:
        words = story(draw).split()
        draw.shuffle(words)
        return " ".join(words)
    return " ".join(draw.choice(_NOISE).format(n=draw.randint(1, 99)) for _ in range(3))


def clean_text(size: int, seed: int) -> bytes:
    """``size`` bytes of stories."""
    draw, parts, length = random.Random(seed), list[bytes](), 0
    while length < size:
        parts.append((story(draw) + "\n").encode())
        length += len(parts[-1])
    return b"".join(parts)[:size]


def noisy_text(size: int, seed: int, share: float = 0.5) -> bytes:
    """``size`` bytes of which about ``share`` are noise, in paragraphs that alternate at random."""
    draw, parts, sizes = random.Random(seed), list[bytes](), [0, 0]
    while sum(sizes) < size:
        dirty = sizes[1] <= share * sum(sizes)
        parts.append(((_noise(draw) if dirty else story(draw)) + "\n").encode())
        sizes[dirty] += len(parts[-1])
    draw.shuffle(parts)
    return b"".join(parts)[:size]
