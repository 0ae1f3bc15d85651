"""Slow plain-Python versions of what llama.cpp and vLLM do, written from their rules, one token at a time.

They share nothing with the package: lists and ``math`` only. A row is a list of floats, -inf for a removed token;
engines that physically shorten their candidate list are imitated by leaving such tokens out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = list[float]
REMOVED = -math.inf


def alive(row: Sequence[float]) -> list[int]:
    return [i for i, z in enumerate(row) if z != REMOVED]


def softmax(row: Sequence[float]) -> Row:
    top = max(row)
    weights = [math.exp(z - top) if z != REMOVED else 0.0 for z in row]
    total = math.fsum(weights)
    return [w / total for w in weights]


def entropy(row: Sequence[float]) -> float:
    return -math.fsum(p * math.log(p) for p in softmax(row) if p > 0)


def vllm_penalties(row: Sequence[float], generated: Sequence[int], frequency: float, presence: float) -> Row:
    result = list(row)
    for i in range(len(row)):
        count = sum(1 for token in generated if token == i)
        if count:
            result[i] -= frequency * count
            result[i] -= presence
    return result


def llama_top_n_sigma(row: Sequence[float], n: float) -> Row:
    ids = alive(row)
    if n <= 0 or len(ids) <= 1:
        return list(row)
    mean = math.fsum(row[i] for i in ids) / len(ids)
    deviation = math.sqrt(math.fsum((row[i] - mean) ** 2 for i in ids) / len(ids))
    limit = max(row) - n * deviation
    return [z if z >= limit else REMOVED for z in row]


def llama_xtc(row: Sequence[float], probability: float, threshold: float, u: float) -> Row:
    ids = alive(row)
    if probability <= 0 or threshold > 0.5 or len(ids) < 2 or u > probability:
        return list(row)
    probs = softmax(row)
    descending = sorted(ids, key=lambda i: (-probs[i], i))
    last = 0
    for place, i in enumerate(descending):
        if probs[i] >= threshold:
            last = place
        else:
            break
    result = list(row)
    for i in descending[:last]:
        result[i] = REMOVED
    return result


def llama_dynatemp(row: Sequence[float], temperature: float, spread: float, exponent: float) -> Row:
    ids = alive(row)
    low, high = max(0.0, temperature - spread), temperature + spread
    if len(ids) <= 1:
        return list(row)
    share = entropy(row) / math.log(len(ids))
    effective = low + (high - low) * share**exponent
    if effective <= 0:
        best = max(ids, key=lambda i: (row[i], -i))
        return [z if i == best else REMOVED for i, z in enumerate(row)]
    return [z / effective for z in row]


def llama_mirostat_v2(row: Sequence[float], mu: float) -> Row:
    probs = softmax(row)
    descending = sorted(alive(row), key=lambda i: (-probs[i], i))
    size = len(descending)
    for place, i in enumerate(descending):
        if probs[i] == 0 or -math.log2(probs[i]) > mu:
            size = place
            break
    kept = set(descending[: max(1, size)])
    return [z if i in kept else REMOVED for i, z in enumerate(row)]


def llama_dry(
    row: Sequence[float],
    ids: Sequence[int],
    multiplier: float,
    base: float,
    allowed: int,
    breakers: Sequence[Sequence[int]] = (),
) -> Row:
    """Compare every earlier position with the end of the text, token by token; no clever string algorithm."""
    result = list(row)
    if multiplier == 0 or base < 1 or len(ids) <= allowed:
        return result
    limit = len(ids)
    for back in range(len(ids)):
        start = len(ids) - 1 - back
        fits = [len(b) for b in breakers if len(b) and list(ids[start : start + len(b)]) == list(b)]
        if fits:
            limit = back - (max(fits) - 1)
            break
    if limit < allowed:
        return result
    longest: dict[int, int] = {}
    for end in range(len(ids) - 1):
        length = 0
        while length < limit and end - length >= 0 and ids[end - length] == ids[len(ids) - 1 - length]:
            length += 1
        if length >= allowed:
            longest[ids[end + 1]] = max(length, longest.get(ids[end + 1], 0))
    largest_exponent = int(88.7228391 / math.log(base)) if base > 1.000001 else 0
    for token, length in longest.items():
        if [token] in [list(b) for b in breakers] or token >= len(row):
            continue
        power = length - allowed
        if largest_exponent > 0:
            power = min(power, largest_exponent)
        result[token] -= multiplier * base**power
    return result
