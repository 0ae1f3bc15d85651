"""What the Attention page gives away beside its link: command line, code, and the picture as PNG, HTML and NPZ."""

from __future__ import annotations

import shlex

import streamlit as st

from playground.charts.attention_html import attention_html
from playground.inspection.attention_file import attention_npz
from playground.sampling.export_code import gguf_parts
from playground.state.setup import Setup
from playground.ui.attention_page.view import AttentionPageView, load_view
from playground.ui.components.attention import FILE_SCRIPT, FILE_STYLE
from playground.ui.components.save_picture import save_picture_button
from playground.ui.kit.file_button import file_button
from playground.ui.workspace.export import model_id
from playground.ui.workspace.setup import setup

ALIBI_ONCE = (
    "from playground.models.alibi import add_alibi_once\n",
    "add_alibi_once(model)  # where it has ALiBi: transformers' eager code adds it twice\n",
)


def export_attention() -> None:
    """Command, code and files of the window in view."""
    shown, view = setup(), load_view()
    st.markdown("**Command line**")
    st.code(command(shown, view), language="bash", wrap_lines=True)
    st.markdown("**As code**")
    st.code(code(view), language="python", wrap_lines=True)
    st.markdown("**Files**")
    with st.container(horizontal=True, vertical_alignment="center"):
        save_picture_button("PNG of the heatmaps", "attention", key="attention_save")
        file_button(
            "HTML", "attention.html", lambda: html(view), "All layers and heads in one file that opens offline."
        )
        file_button(
            "NPZ",
            "attention.npz",
            lambda: attention_npz(view.attention),
            "`attention` (layers, heads, query, key) and `ids`, for NumPy.",
        )


def html(view: AttentionPageView) -> str:
    """What is in view as one file."""
    chosen = view.options
    return attention_html(
        view.attention,
        view.text.tokens,
        view.info,
        script=FILE_SCRIPT,
        style=FILE_STYLE,
        scale=chosen.scale,
        hide_first=chosen.hide_first,
        query=view.query,
        lock=view.lock,
    )


def command(setup: Setup, view: AttentionPageView) -> str:
    """``python -m playground attend`` with the same model and text."""
    words = ["python", "-m", "playground", "attend", f"--text={setup.prompt}"]
    words += [f"--model={setup.model}"] if setup.model else []
    if setup.chat:
        words += ["--chat", *([f"--system={setup.system}"] if setup.system else [])]
    words += ["--parse-special"] if setup.parse_special else []
    layer, head = view.lock
    words += [f"--layer={layer}", f"--head={head}"] if layer >= 0 else []
    words += [f"--dtype={setup.dtype}"] if setup.dtype else []
    words += [f"--device={setup.device}"] if setup.device else []
    return shlex.join([*words, "--out=attention.npz"])


def code(view: AttentionPageView) -> str:
    """The same weights by transformers itself."""
    imported, once = ALIBI_ONCE if view.info.architecture == "FalconForCausalLM" else ("", "")
    folder, file = gguf_parts(model_id())
    named = f"{folder!r}, gguf_file={file!r}" if file else repr(folder)
    return (
        "import torch\n"
        f"from transformers import AutoModelForCausalLM\n{imported}\n"
        f'model = AutoModelForCausalLM.from_pretrained({named}, attn_implementation="eager")\n'
        f"{once}"
        f"ids = torch.tensor([{list(view.text.ids[: view.text.end])}])\n"
        "weights = model(ids, output_attentions=True).attentions  # one (1, heads, query, key) tensor a layer\n"
    )
