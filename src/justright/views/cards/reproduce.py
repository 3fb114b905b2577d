"""Card: how to get the same result again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from justright.views.card import Card, NotApplicable
from justright.views.numbers import count
from justright.views.reader import Reader
from justright.views.table import Column, Table


def reproduce(reader: Reader) -> Card | NotApplicable:
    """The command, the versions, the seed and the work plan."""
    head, table = reader.head, reader.fact("table")
    if head is None or not table:
        return NotApplicable("the study has not started")
    settings = head.settings
    folder = reader.fact("paths").get("folder")
    code = str(settings.get("command") or command(table, settings))
    if folder and "--work" not in code:
        code += f" --work {shlex.quote(f'{folder}/work.json')}"
    facts = [
        ("data", f"{table.get('name')}, fingerprint {table.get('fingerprint')}"),
        ("study", f"{head.name}, data {head.data}, goal {head.goal}"),
        ("seed", str(settings.get("seed", "–"))),
        ("recipe", str(reader.fact("network").get("recipe_fingerprint") or "–")),
        *((name, str(value)) for name, value in reader.fact("versions").items()),
        *((f"setting: {name}", _value(value)) for name, value in settings.items() if value),
    ]
    granted = reader.fact("plan").get("granted") or {}
    plan = f"; the work plan fixes {count(len(granted), 'amount')} of work" if granted else ""
    return Card(
        title="How to reproduce",
        claim=f"The same data, seed, versions and work plan give the same decisions{plan}.",
        table=Table((Column("What"), Column("Value")), tuple(facts)),
        notes=(
            "Without --work the clock decides how much is tried, so another run may stop "
            "elsewhere; with it no clock is asked.",
        ),
        code=code,
    )


def command(table: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The command line that asks for this study, when the user's own was not kept.

    >>> command({"source": "my houses.csv", "target": ["price"]}, {"seed": 3})
    "justright fit 'my houses.csv' --target price --seed 3"
    """
    source = str(table.get("source") or table.get("name") or "DATA")
    words = ["justright", "fit", source]
    for target in table.get("target") or ():
        words += ["--target", str(target)]
    if settings.get("seed") is not None:
        words += ["--seed", str(settings["seed"])]
    return shlex.join(words)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
