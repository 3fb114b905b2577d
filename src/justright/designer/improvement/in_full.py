"""The start recipe in full, where the first network was a quick form of it.

The first network must be usable within seconds, so it is one network without members, and on
larger tables it gets fewer steps than its recipe asks for. Before any idea is tried, the recipe
gets what it asks for: members and its own length, or, where there is no time for both, the length
that there is time for. That is one comparison, named beforehand, on rows that have chosen nothing
yet but each network's best step, so the rows themselves give its interval. The burden of proof
lies with the quick form: the recipe in full is taken unless it looks worse; but for a longer form
that was best early in its run, which has to be surely better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

from justright.core.decision import Decision, Status
from justright.core.idea import OWN, Idea, Prediction, Verdict
from justright.designer.improvement.room import LEAST_FACTOR, Room
from justright.designer.stages.range_test import RATE_KEY, far_rate
from justright.designer.work.admission import Admission
from justright.designer.work.allowed import Allowed
from justright.designer.work.session import Arm, Champion, Session
from justright.ideas.catalogue.length import LATE
from justright.ideas.rule import Move
from justright.statistics.compare import BETTER, CANNOT_TELL, NOT_BETTER, compare
from justright.statistics.intervals import paired_difference
from justright.statistics.metrics import metric_named
from justright.training.budget import steps_of
from justright.training.start import MEMBERS, with_members

MEMBERS_KEY, LENGTH_KEY = f"{OWN}members", f"{OWN}length"
FORMS = (RATE_KEY, MEMBERS_KEY, LENGTH_KEY)
"""Tried in this order: the rate if it is a mistake, then, until one is taken, members with the own
length and length alone."""

EARLY = 0.5
"""A run that was best before this share of it was so before the last cycle of its schedule (that
of coslog4 begins at 7/15) had shown anything."""

LATER = ("rate", "size search", "round 1")
"""What is granted first after the forms; then the champion has been decided about as it was."""

LONGER_GAIN = (0.005, 0.02, 0.08)
"""Quantiles of what more steps bring, as shares of the loss (assumption)."""

MEMBERS_GAIN = (0.001, 0.03, 0.13)
"""The same of members (measured on thirteen tables: LOG.md, members in the start recipe)."""

_WORDS = {1: BETTER, 0: CANNOT_TELL, -1: NOT_BETTER}


@dataclass(frozen=True)
class Form:
    """A fuller form of the champion's recipe.

    Attributes:
        key: Of `FORMS`; names it in the work plan.
        move: It as an idea with its prediction.
        arm: What is trained.
        granted: Whether there is time for it.
    """

    key: str
    move: Move
    arm: Arm
    granted: bool


def fuller(session: Session, admission: Admission, champion: Champion, key: str) -> Form | None:
    """A fuller form of the champion; None where it is that already, or cannot be.

    Args:
        session: The study at work.
        admission: Says what the time bears.
        champion: The first network.
        key: Of `FORMS`.
    """
    full, plan, room = full_steps(session, champion), session.plan, Room(admission)
    asked = f"{key} steps"
    if asked not in plan.granted and any(plan.granted.get(later) for later in LATER):
        return None  # refused before, and what followed rests on the champion as it is
    if key == RATE_KEY:
        members, best_at = _with_members(session, champion, full), champion.best_at
        found = far_rate(
            session, champion, admission, lambda s: _spared(admission, members, best_at, s)
        )
        if found is None:
            return None
        move, arm = found
        steps = plan.grant(asked, lambda: room.all_steps(arm, champion.best_at))
        return Form(key, move, arm, bool(steps))
    if key == LENGTH_KEY:
        if not full:
            return None
        steps = plan.grant(asked, lambda: room.longer_steps(champion.arm, full))
        move, arm = longer_move(champion, steps or full)
        return Form(key, move, arm, bool(steps))
    whole = _with_members(session, champion, full)
    if whole is None:
        return None
    steps = plan.grant(asked, lambda: room.all_steps(whole, champion.best_at))
    if not steps:
        return None  # the catalogue has members, too, and says what they would take
    arm = replace(whole, steps=steps)
    return Form(key, members_move(champion, arm), arm, granted=True)


def _with_members(session: Session, champion: Champion, full: int) -> Arm | None:
    """The champion with members, and the steps that its recipe asks for; None if it cannot be."""
    recipe = with_members(champion.arm.recipe)
    inputs = session.blocks.inputs_of(recipe.preprocessing)
    if recipe == champion.arm.recipe or not Allowed(session).among([recipe], inputs):
        return None
    return replace(champion.arm, recipe=recipe, steps=full or champion.arm.steps)


def _spared(admission: Admission, arm: Arm | None, best_at: float, seconds: float) -> bool:
    """Whether members that there is time for are still so after so many seconds."""
    if arm is None or not Room(admission).all_steps(arm, best_at):
        return True
    return bool(Room(admission, seconds).all_steps(arm, best_at))


def full_steps(session: Session, champion: Champion) -> int:
    """Steps that the champion's recipe asks for; 0 if it had them, or had stopped improving."""
    spec = champion.arm.recipe.preprocessing
    first = session.blocks.block(session.blocks.first[0], spec)
    full = steps_of(champion.arm.recipe, len(first.train))
    too_early = champion.best_at < LATE
    return 0 if too_early or full < LEAST_FACTOR * champion.arm.steps else full


def longer_move(champion: Champion, steps: int) -> tuple[Move, Arm]:
    """The champion with more steps, as an idea with its prediction and as an arm."""
    recipe = champion.arm.recipe
    low, middle, high = (share * abs(champion.loss) for share in LONGER_GAIN)
    idea = Idea(
        title=f"{steps / champion.arm.steps:.1f} × the steps",
        slot="own length",
        patch={"epochs": recipe.epochs},
        prediction=Prediction(helps=0.7, gain=(low, middle, high), seconds=0.0),
        source="Google Deep Learning Tuning Playbook 2023; gain: assumption",
        author="the recipe's own length",
    )
    arm = replace(champion.arm, steps=steps)
    return Move(idea, recipe, steps / champion.arm.steps), arm


def members_move(champion: Champion, arm: Arm) -> Move:
    """The champion with members, and with more steps if the arm has them, as an idea."""
    length = arm.steps / champion.arm.steps
    title, patch, gain = f"{MEMBERS} members", {"shape.members": MEMBERS}, MEMBERS_GAIN
    if length > 1:
        title, patch = (
            f"{title} and {length:.1f} × the steps",
            {**patch, "epochs": arm.recipe.epochs},
        )
        gain = tuple(one + other for one, other in zip(gain, LONGER_GAIN, strict=True))
    low, middle, high = (share * abs(champion.loss) for share in gain)
    idea = Idea(
        title=title,
        slot="members",
        patch=patch,
        prediction=Prediction(helps=0.85, gain=(low, middle, high), seconds=0.0),
        source="TabM, Gorishniy et al. 2024 (ICLR 2025): better than the tuned plain network on "
        "76 of 86 tables, worse on 3; four of them: measured",
        author="the start recipe in full",
    )
    return Move(idea, arm.recipe, length)


def judge_in_full(session: Session, champion: Champion, rival: Champion) -> Verdict:
    """Champion and fuller form on the champion's own blocks.

    Of one block the interval is that of its validation rows; it does not hold the noise of
    training. Of several folds it is that of the corrected paired t.
    """
    subject = rival.arm.subject
    block = session.blocks.block(session.blocks.first[0], rival.arm.recipe.preprocessing)
    both = list(zip(rival.trials, champion.trials, strict=True))
    if len(both) >= 3:
        pairs = [(session.measure([new]), session.measure([old])) for new, old in both]
        return compare(subject, pairs, overlap=block.overlap, delta=0.0, alpha=0.05)
    new, old = both[0]
    found = paired_difference(
        metric_named(session.metric),
        session.blocks.sample(block),
        session.predictions(new),
        session.predictions(old),
    )
    sign = 1 if found.low > 0 else -1 if found.estimate <= 0 else 0
    evidence = {"source": found.source, "why": "one comparison, named beforehand"}
    return Verdict(subject, _WORDS[sign], found.estimate, found.low, found.high, 1, evidence)


def decision_of(form: Form, verdict: Verdict, *, early: bool) -> Decision:
    """What became of a fuller form that was trained.

    Args:
        form: The form.
        verdict: On it.
        early: Whether it was best early in its run.
    """
    word = "kept" if is_taken(verdict, early=early) else "left out"
    folds = "its own rows" if verdict.blocks == 1 else f"its own {verdict.blocks} folds"
    measured = {"gain": verdict.difference, "low": verdict.low, "high": verdict.high}
    stage, why = "recipe", "it is what the recipe asks for, so it is kept unless it looks worse"
    if form.key == RATE_KEY:
        stage = "rate"
        why = "the range test says that the first is a mistake: it is kept unless it looks worse"
    elif early:
        why = "it was best early in its run, so it is kept only if it is surely better"
    return Decision(
        stage,
        f"{form.move.idea.title}: {word}",
        f"compared once with the quick first network on {folds}; {why}",
        form.move.idea.source,
        Status.MEASURED,
        {name: value for name, value in measured.items() if isfinite(value)},
    )


def is_early(form: Form, champion: Champion, rival: Champion) -> bool:
    """Whether a longer form was best early, or within the length of the quick one.

    Then it owes little to its steps: what was best is the end of an early cycle of its schedule
    (measured: flights_late, LOG.md).
    """
    early = rival.best_step <= champion.arm.steps or rival.best_at < EARLY
    return form.key == LENGTH_KEY and early


def is_taken(verdict: Verdict, *, early: bool = False) -> bool:
    """Whether the recipe gets its full form: it is what is usual, so it need not be shown better.

    Args:
        verdict: On the full form.
        early: Whether its steps brought nothing, so that it has to be.

    >>> unsure = Verdict("x", "cannot tell", 0.4, -0.1, 0.9, 5, {})
    >>> is_taken(unsure), is_taken(unsure, early=True)
    (True, False)
    """
    # nan where nothing ran; a metric that is undefined on one fold makes a gain "not better"
    words = (BETTER,) if early else (BETTER, CANNOT_TELL)
    return verdict.difference > 0.0 and verdict.word in words
