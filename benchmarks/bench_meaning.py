"""Bits a byte of the declaration under the bundled model by each protocol of the page Languages: the table of docs/data.md.

It measures the model, not the code, so it runs only by its name: ``python -m benchmarks meaning``. Some 80,000 tokens are read in
bfloat16, which takes minutes.
"""

from __future__ import annotations

from playground.corpus.bits import BitsStore, TextBits, bits_job
from playground.corpus.meaning import PROTOCOLS, chosen_texts, in_passes, knowledge
from playground.corpus.parallel import ARTICLES, declaration
from playground.engine.api import CancelToken
from playground.engine.factory import make_engine
from playground.engine.pieces import finish

LANGUAGES = ("mya",)  # beside the baseline, English


def main() -> None:
    """Read all articles and print the table."""
    engine, text, store = make_engine(None, "cpu", "bfloat16", None), declaration(), BitsStore()
    texts = chosen_texts(text, LANGUAGES, ARTICLES)

    def read(given: list[str]) -> tuple[TextBits, ...]:
        return tuple(
            text_bits for each in given for text_bits in finish(bits_job([each], store)(engine, CancelToken()))
        )

    print("| language | protocol | bits per byte | 95% interval | bits per meaning | over all bytes |")  # noqa: T201
    print("|---|---|---|---|---|---|")  # noqa: T201
    for code in texts:
        for protocol, label in PROTOCOLS.items():
            given = in_passes({each: texts[each] for each in (text.baseline, code)}, protocol)
            bits = {each: read(parts) for each, parts in given.items()}
            chosen = {each: texts[each] for each in given}
            own = knowledge(
                text, chosen, [each for language_bits in bits.values() for each in language_bits], protocol
            )[-1]
            whole = sum(each.total for each in bits[code]) / sum(len(part.encode()) for part in given[code])
            byte = own.per_byte
            print(  # noqa: T201
                f"| {own.text.name} | {label} | {byte.value:.3f} | {byte.low:.3f} to {byte.high:.3f} | "
                f"{own.per_meaning.value:.2f} | {whole:.3f} |",
                flush=True,
            )
    (one,) = read(["\n".join(texts[text.baseline])])
    print(f"English in one pass: {one.per_byte:.3f}")  # noqa: T201
    engine.close()


if __name__ == "__main__":
    main()
