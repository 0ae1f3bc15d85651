"""A plan as a file, JSON or YAML, and back: what the page and ``tune run --plan`` share."""

from __future__ import annotations

import json
from collections.abc import Callable

from playground.errors import BadInput
from playground.lined_yaml import read_lined
from playground.tuning.examples import Example
from playground.tuning.plan import Plan, plan_values, read_plan
from playground.uploads import parse_json


def plan_json(plan: Plan) -> str:
    return json.dumps(plan_values(plan), ensure_ascii=False, indent=1) + "\n"


def plan_yaml(plan: Plan) -> str:
    import yaml

    text: str = yaml.safe_dump(plan_values(plan), sort_keys=False, allow_unicode=True, width=110)
    return text


def read_plan_text(text: str, read_file: Callable[[str], tuple[Example, ...]]) -> Plan:
    """Of a stranger's text. ``read_file`` reads the examples of a file that it names. Raises BadInput."""
    try:
        data = parse_json(text) if text.lstrip().startswith("{") else read_lined(text, "plan").value
    except ValueError as error:
        raise BadInput(f"The plan cannot be read as JSON ({str(error)[:100]}): correct it.", "plan") from None
    return read_plan(data, read_file)
