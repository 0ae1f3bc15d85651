"""The same training as a program for TRL, to be taken away: its trainers, this run's settings, a file of rows beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from playground.sampling.export_code import gguf_parts
from playground.training.demonstrations import Demonstration
from playground.training.masks import Row
from playground.training.pairs import Pair, write_pairs
from playground.training.settings import TrainSettings

DATA_FILE = "rows.jsonl"

_TRAINERS = {
    "sft": ("SFTTrainer", "SFTConfig"),
    "reward": ("RewardTrainer", "RewardConfig"),
    "dpo": ("DPOTrainer", "DPOConfig"),
}
_MODELS = {"reward": "AutoModelForSequenceClassification"}


def trl_code(model: str, settings: TrainSettings, *, dtype: str = "float32") -> str:
    """A Python file that trains ``model`` (a hub id, a folder or a .gguf file) on ``rows.jsonl`` by TRL 1.16.

    The rows are those of ``trl_rows``; the split is TRL's own, so that held-out rows are others than here. ``dtype``: that the
    frozen weights had.
    """
    trainer, config = _TRAINERS[settings.kind]
    loader = _MODELS.get(settings.kind, "AutoModelForCausalLM")
    one_number = ", num_labels=1" if settings.kind == "reward" else ""
    folder, file = gguf_parts(model)
    gguf_file = f", gguf_file={file!r}" if file else ""
    heldout = settings.heldout_share
    lines = [
        f'"""{settings.kind.upper()} with LoRA by TRL: pip install trl==1.16.0 peft==0.21.2."""',
        "",
        "import torch",
        "from datasets import load_dataset",
        "from peft import LoraConfig",
        f"from transformers import {loader}, AutoTokenizer",
        f"from trl import {config}, {trainer}",
        "",
        f"MODEL = {folder!r}",
        "",
        f"tokenizer = AutoTokenizer.from_pretrained(MODEL{gguf_file})",
        f"model = {loader}.from_pretrained(MODEL{gguf_file}{one_number}, dtype=torch.{dtype})",
        *(["model.config.pad_token_id = tokenizer.pad_token_id or tokenizer.eos_token_id"] if one_number else []),
        f'rows = load_dataset("json", data_files={DATA_FILE!r}, split="train")',
        *(
            [f"parts = rows.train_test_split(test_size={heldout!r}, seed={settings.seed!r})"]
            if heldout > 0
            else ['parts = {"train": rows, "test": None}']
        ),
        "",
        f"arguments = {config}(",
        '    output_dir="taught",',
        f"    num_train_epochs={settings.epochs!r},",
        f"    per_device_train_batch_size={settings.batch!r},",
        f"    learning_rate={settings.learning_rate!r},",
        '    lr_scheduler_type="linear",',
        "    weight_decay=0.0,",
        "    max_grad_norm=1.0,",
        f"    max_length={settings.most_tokens!r},",
        f"    seed={settings.seed!r},",
        *([f"    completion_only_loss={settings.mask_prompt!r},"] if settings.kind == "sft" else []),
        *([f"    beta={settings.beta!r},"] if settings.kind == "dpo" else []),
        f"    eval_strategy={'epoch' if heldout > 0 else 'no'!r},",
        "    logging_steps=1,",
        '    report_to="none",',
        "    bf16=False,",
        ")",
        "adapter = LoraConfig(",
        f"    r={settings.rank!r},",
        f"    lora_alpha={settings.alpha!r},",
        f"    target_modules={list(settings.targets)!r},",
        "    lora_dropout=0.0,",
        f"    task_type={'SEQ_CLS' if settings.kind == 'reward' else 'CAUSAL_LM'!r},",
        ")",
        f"trainer = {trainer}(",
        "    model=model,",
        "    args=arguments,",
        '    train_dataset=parts["train"],',
        '    eval_dataset=parts["test"],',
        "    processing_class=tokenizer,",
        "    peft_config=adapter,",
        ")",
        "trainer.train()",
        'trainer.save_model("taught")',
        "",
    ]
    return "\n".join(lines)


def trl_rows(rows: Sequence[Row], *, chat: bool) -> str:
    """JSON lines for that program: ``prompt`` and ``completion`` apart, so that TRL can mask the prompt, or pairs."""
    pairs = [row for row in rows if isinstance(row, Pair)]
    if pairs and chat:
        return write_pairs(pairs)
    lines: list[dict[str, object]] = []
    for row in rows:
        messages = [{"role": message.role, "content": message.content} for message in row.context.messages]
        before: object = messages if chat else "\n".join(message["content"] for message in messages)
        if isinstance(row, Demonstration):
            after: object = [{"role": "assistant", "content": row.response}] if chat else row.response
            lines.append({"prompt": before, "completion": after})
        else:
            lines.append({"prompt": before, "chosen": row.chosen, "rejected": row.rejected})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
