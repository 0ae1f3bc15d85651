"""The code that is taken away compiles, and every argument it gives is one of TRL's and means what was set here."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
from dataclasses import replace
from typing import Any

import pytest
from peft import LoraConfig

from playground.training.export import trl_code, trl_rows
from playground.training.settings import KINDS, Kind, TrainSettings
from tests.training.tiny_student import DEMONSTRATIONS, PAIRS

pytestmark = [
    pytest.mark.model,  # importing trl takes seconds
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
]


def arguments_of(code: str, call: str) -> dict[str, Any]:
    calls = [one for one in ast.walk(ast.parse(code)) if isinstance(one, ast.Call) and ast.unparse(one.func) == call]
    return {word.arg or "": ast.literal_eval(word.value) for word in calls[0].keywords}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("heldout", [0.0, 0.2])
def test_its_arguments_are_trls_and_ours(kind: Kind, heldout: float) -> None:
    settings = replace(TrainSettings.of(kind), heldout_share=heldout, rank=4, beta=0.3, seed=7)
    code = trl_code("org/model", settings)
    compile(code, "taught.py", "exec")
    name = {"sft": "SFTConfig", "reward": "RewardConfig", "dpo": "DPOConfig"}[kind]
    theirs: Any = getattr(importlib.import_module("trl"), name)
    given = arguments_of(code, name)
    assert set(given) <= {field.name for field in dataclasses.fields(theirs)}
    config = theirs(**given)
    assert (config.learning_rate, config.num_train_epochs, config.seed) == (settings.learning_rate, settings.epochs, 7)
    assert str(config.lr_scheduler_type.value) == "linear" and config.max_length == settings.most_tokens
    assert getattr(config, "beta", 0.3) == 0.3
    lora = LoraConfig(**arguments_of(code, "LoraConfig"))
    assert (lora.r, lora.lora_alpha, set(lora.target_modules or ())) == (4, 16.0, {"q_proj", "v_proj"})


def test_a_gguf_file_is_named_beside_its_folder() -> None:
    code = trl_code("/models/x.gguf", TrainSettings.of("sft"))
    assert "MODEL = '/models'" in code
    assert arguments_of(code, "AutoTokenizer.from_pretrained") == {"gguf_file": "x.gguf"}
    assert code.count("gguf_file='x.gguf'") == 2


def test_the_rows_are_in_the_form_whose_responses_alone_count() -> None:
    line = json.loads(trl_rows(DEMONSTRATIONS, chat=True).splitlines()[0])
    assert line["completion"] == [{"role": "assistant", "content": DEMONSTRATIONS[0].response}]
    assert json.loads(trl_rows(DEMONSTRATIONS, chat=False).splitlines()[0])["prompt"] == DEMONSTRATIONS[0].prompt
    assert set(json.loads(trl_rows(PAIRS, chat=True).splitlines()[0])) == {"prompt", "chosen", "rejected", "margin"}
