"""The registry's rows of the samplers that remove tokens by chance, or by how surprising the text was so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.sampling import truncation
from playground.sampling.formulas import Diagnostics, number, tokens
from playground.sampling.sampler import Sampler, real


def _xtc(values: Mapping[str, Any], diagnostics: Diagnostics) -> str:
    relation = r"\le" if diagnostics.get("acted") else ">"
    return (
        rf"u = {number(diagnostics.get('u'))} {relation} {number(values['xtc_probability'])},"
        rf"\quad {tokens(diagnostics.get('above_threshold'))}\ \text{{with}}\ p_i \ge {number(values['xtc_threshold'])}"
    )


ADAPTIVE = (
    Sampler(
        name="xtc",
        label="XTC",
        group="truncation",
        parameters=(
            real(
                "xtc_probability",
                "XTC probability",
                0.0,
                (0.0, 1.0),
                0.05,
                (0.0, 1.0),
                "How often to exclude the top choices. 0 is off; 0.5 is usual.",
            ),
            real(
                "xtc_threshold",
                "XTC threshold",
                0.1,
                (0.0, 1.0),
                0.01,
                (0.0, 0.5),
                "A top choice has at least this probability; the least likely of them stays. Above 0.5 XTC does nothing.",
            ),
        ),
        apply=truncation.xtc,
        formula=r"\text{if } u \le P: \text{ drop every } p_i \ge t \text{ but the least likely of them}",
        filled=_xtc,
        explain="Now and then excludes the top choices, so that a good but less obvious one is taken.",
        source="p-e-w 2024; llama.cpp",
        reference="llama.cpp's rule, written out in the tests",
        panel="Truncation",
        places={"llama.cpp": 110},
        engines=("llama.cpp",),
        llama_cpp_step="xtc",
        off=lambda values: bool(values["xtc_probability"] == 0 or values["xtc_threshold"] > 0.5),
    ),
    Sampler(
        name="mirostat",
        label="Mirostat 2",
        group="truncation",
        parameters=(
            real(
                "mirostat_tau",
                "Mirostat tau",
                0.0,
                (0.0, 100.0),
                0.1,
                (0.0, 10.0),
                "The surprise per token to steer towards, in bits. 0 is off; 5 is usual. On, it replaces all other "
                "truncation.",
                exported_as={"llama-completion": "--mirostat-ent"},
            ),
            real(
                "mirostat_eta",
                "Mirostat eta",
                0.1,
                (0.0, 10.0),
                0.01,
                (0.0, 1.0),
                "How fast Mirostat corrects itself after each token.",
                exported_as={"llama-completion": "--mirostat-lr"},
            ),
        ),
        apply=truncation.mirostat,
        formula=r"\text{drop } -\log_2 p_i > \mu, \quad \mu \leftarrow \mu - \eta\,(\text{surprise} - \tau)",
        filled=r"-\log_2 p_i > \mu = $mu\quad (p_i < $cutoff_prob)",
        explain="Steers the surprise of the text towards a target; while on, it replaces the other truncation samplers.",
        source="Basu et al. 2021, arXiv:2007.14966; llama.cpp",
        reference="llama.cpp's rule, written out in the tests",
        panel="Adaptive",
        engines=("llama.cpp",),
        sent_along={"llama.cpp": {"mirostat": 2}},
    ),
)
