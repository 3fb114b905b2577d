"""Whether the locked test can decide, or repeated cross-validation has to."""

from __future__ import annotations

import numpy as np

from justright.data.split import SANITY_BELOW
from justright.designer.work.blocks import FOLDS, Blocks


def why_not(blocks: Blocks) -> str | None:
    """Why the locked test is the headline of this table, or None where it is not.

    The reason is empty for tables with enough rows.
    """
    problem, splits = blocks.problem, blocks.splits
    if problem.table.rows >= SANITY_BELOW:
        return ""
    if splits.kind == "file":
        return "the test rows were given"
    if problem.times() is not None:
        return "the rows are in order of time, and only the test rows are later than all others"
    groups = problem.groups()
    if groups is not None and len(np.unique(groups[splits.rest])) < FOLDS:
        return f"there are fewer than {FOLDS} groups to cross-validate over"
    return None
