"""How varied the candidates of one run are: distinct-n over all of them, and groups of near-equal texts.

Distinct-n of single texts is ``generation.diversity``; here the n-grams of all candidates are pooled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.generation.diversity import Keys, ngrams

SHINGLE = 3  # characters
THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class Cluster:
    """Texts that are nearly equal: places in order. ``exact`` where all are the same but for case and white space."""

    members: tuple[int, ...]
    exact: bool


def pooled_distinct_n(texts: Sequence[Keys], n: int) -> float | None:
    """Different n-grams / all n-grams over all candidates together (Li et al. 2016); None where there are none.

    >>> pooled_distinct_n([(1, 2), (1, 2)], 2)
    0.5
    """
    grams = [gram for ids in texts for gram in ngrams(ids, n)]
    return len(set(grams)) / len(grams) if grams else None


def cluster_texts(texts: Sequence[str], threshold: float = THRESHOLD) -> tuple[Cluster, ...]:
    """Groups of texts joined by a chain of near-equal pairs, the largest first, equal sizes by their first member.

    Two texts are near-equal where the Jaccard index of their sets of three-character pieces is at least ``threshold``.
    The grouping does not depend on the order of the texts.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    if not texts:
        return ()
    plain = [_plain(text) for text in texts]
    numbers: dict[str, int] = {}
    rows, columns = [], []
    for place, text in enumerate(plain):
        for piece in {text[begin : begin + SHINGLE] for begin in range(max(1, len(text) - SHINGLE + 1))}:
            rows.append(place)
            columns.append(numbers.setdefault(piece, len(numbers)))
    has = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(numbers)))
    shared = (has @ has.T).toarray()  # (texts, texts)
    sizes = np.diag(shared)
    union = sizes[:, None] + sizes[None, :] - shared
    count, labels = connected_components(csr_matrix(shared / np.maximum(union, 1) >= threshold), directed=False)
    groups = [tuple(int(place) for place in np.flatnonzero(labels == label)) for label in range(count)]
    clusters = [Cluster(group, len({plain[place] for place in group}) == 1) for group in groups]
    return tuple(sorted(clusters, key=lambda cluster: (-len(cluster.members), cluster.members[0])))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()
