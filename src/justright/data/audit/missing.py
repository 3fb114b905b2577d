"""Missing values."""

from __future__ import annotations

from collections.abc import Iterator

from justright.core.finding import Finding, Severity
from justright.data.audit.view import View, listed

MOSTLY = 0.5
"""Share of missing values from which a column is called mostly missing. Assumption."""


def find_missing(view: View) -> Iterator[Finding]:
    """Report inputs with missing values, the emptiest first."""
    frame = view.problem.table.frame
    shares = {c.name: frame[c.name].null_count() / frame.height for c in view.inputs}
    shares = {name: share for name, share in shares.items() if share > 0}
    if not shares:
        return
    names = sorted(shares, key=lambda name: -shares[name])
    mostly = sum(share > MOSTLY for share in shares.values())
    text = (
        f"{len(names)} of {len(view.inputs)} inputs have missing values: "
        f"{listed([f'{name} {_percent(shares[name])}' for name in names])}"
    )
    yield Finding(
        "missing",
        Severity.NOTE,
        text + (f"; {mostly} are mostly missing" if mostly else ""),
        "filled in by training rows, with a mark that they were missing",
        tuple(names),
        {"columns": float(len(names)), "largest": shares[names[0]], "mostly": float(mostly)},
    )


def _percent(share: float) -> str:
    return "<0.1%" if share < 0.001 else f"{share:.1%}"
