"""The catalogue: every module in `ideas.catalogue` with a ``RULE`` is an entry of it.

Adding an idea: one file in that folder. It needs no other line anywhere; the contract suite in
tests/ideas runs on all of them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from justright.core.idea import Idea, Prediction
from justright.ideas import catalogue
from justright.ideas.rule import Move, Proposal, Rule, Situation
from justright.ideas.stage import ORDER
from justright.ideas.tilt import tilted
from justright.recipe.patch import Patch


def _load() -> tuple[Rule, ...]:
    """All rules: by stage, then by the name of their file."""
    names = sorted(module.name for module in iter_modules(catalogue.__path__))
    rules = [import_module(f"{catalogue.__name__}.{name}").RULE for name in names]
    return tuple(sorted(rules, key=lambda rule: ORDER.index(rule.stage)))


RULES: tuple[Rule, ...] = _load()
"""The rules, in the order of their stages."""


def propose_moves(situation: Situation, rules: tuple[Rule, ...] = RULES) -> tuple[Move, ...]:
    """What may be tried around a champion, each with its prediction.

    Args:
        situation: The champion, its data, what was measured.
        rules: The rules to ask.
    """
    return tuple(
        _move(situation, rule, proposal) for rule in rules for proposal in rule.propose(situation)
    )


def _move(situation: Situation, rule: Rule, proposal: Proposal) -> Move:
    size = abs(situation.loss)  # it is negative where a greater metric is better
    low, middle, high = (share * size for share in proposal.gain)
    said = tilted(proposal.helps, proposal.fights, situation.state)
    idea = Idea(
        title=proposal.title,
        slot=rule.slot,
        patch=proposal.changes,
        prediction=Prediction(
            helps=situation.calibration(said),
            gain=(low, middle, high),
            seconds=0.0,
            complexity=proposal.complexity,
            said=said if situation.calibration.outcomes else None,
        ),
        source=proposal.source or rule.source,
        author="catalogue",
        stage=rule.stage,
    )
    recipe = Patch(proposal.title, proposal.changes).apply(situation.recipe)
    return Move(idea, recipe, proposal.length, rule.lasting)
