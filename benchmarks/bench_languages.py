"""Tokenizers and languages: all that are here opened and counted from cold, in a fresh process each time; and when known.

Processor seconds are those of the fresh process, whoever else is on the machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

ROUNDS = 3
TOKENIZERS, LANGUAGES = 10, 60
COLD = f"""
import json, time
from playground.corpus.counting import STORE, language_counts
from playground.corpus.parallel import Parallel, declaration
from playground.corpus.tokenizers import open_all, present
started, used = time.perf_counter(), time.process_time()
whole = declaration()
codes = ["eng", *[code for code in whole.languages if code != "eng"]][:{LANGUAGES}]
text = Parallel({{code: whole.languages[code] for code in codes}}, "eng", "a part")
opened = open_all(present()[:{TOKENIZERS}])
counts = {{each.facts.name: STORE.count(text, each) for each in opened}}
rows = language_counts(text, counts)
cold, cold_used = time.perf_counter() - started, time.process_time() - used
again = time.perf_counter()
language_counts(text, {{each.facts.name: STORE.count(text, each) for each in opened}})
warm = time.perf_counter() - again
print(json.dumps([len(opened), len(rows), cold, cold_used, warm]))
"""


def run() -> dict[str, float]:
    """Seconds and milliseconds, the median of a few fresh processes."""
    rounds = [_round() for _ in range(ROUNDS)]
    tokenizers, languages = rounds[0][:2]
    what = f"{tokenizers:.0f} tokenizers × {languages:.0f} languages"
    middle = [statistics.median(each[place] for each in rounds) for place in (2, 3, 4)]
    return {
        f"{what}, from cold, s": middle[0],
        f"{what}, from cold, processor s": middle[1],
        f"{what}, known, ms": middle[2] * 1000,
        "all that are here on one sentence, known, ms": _sentence_ms(),
    }


def _round() -> list[float]:
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
    values = json.loads(done.stdout)
    return [float(value) for value in values]


def _sentence_ms() -> float:
    from playground.corpus.tokenizers import open_all, present
    from playground.state.languages import SENTENCE

    opened = open_all(present())
    times = []
    for _ in range(20):
        started = time.perf_counter()
        for each in opened:
            each.pieces(SENTENCE)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
