"""What fits into the time that is left: the only reader of the clock among the decisions.

A piece of work is admitted when its predicted 90% cost fits between now and the time that the
final training, the test set and the report need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf

from justright.data.split import FOLDS
from justright.designer.work.blocks import ALL
from justright.designer.work.costs import Costs
from justright.designer.work.session import Arm, Champion, Session
from justright.recipe.recipe import PreprocessingSpec

CONFIRM_SHARE = 0.6
"""Share of the time left that one confirmation may take (assumption: other moves want some)."""

FINISH_SHARE = 0.30
"""A final training may take this share of the limit on one thread (assumption)."""

LOOKS = (12, 8, 5, 3)
"""Numbers of confirmation blocks, most first; the most that fits is planned (compare's looks)."""

LOOKS_SMALL = (20, 15, 10, 5)
"""The same for small tables, whose blocks are single folds: whole repetitions of five."""

LEAST_FINISH = 60
"""A final training shorter than this percentage is worse than the champion that had all its steps
(assumption)."""

BEST_LATER = 1.5
"""What a champion is changed into is best at most so many times later than it, as a share of its
steps (assumption). Where it is later still, its final training gets fewer steps, but a share of
`LEAST_FINISH` of them has to fit."""

WHOLE_SHARE = 0.25
"""Nothing is kept for comparing what ideas made with the start recipe in full where that would
take more than this share of the limit (assumption)."""

WHOLE_MARGIN = 1.3
"""So many times its price is kept for it, as it comes last, and what comes before may take longer
than foretold (measured: without it three of nine studies had no time left)."""

HEADLINE_SHARE, HEADLINE_WANTED = 0.25, 2
"""Share of the limit that is kept for cross-validating what is handed over, where that is the
headline, and repetitions that are enough; whatever else is left at the end adds repetitions
(assumption)."""

PARTS = (1, 3)
"""Arms are compared at their full length, or both at a third of it where there is time for no
more than the fewest blocks in full: three times as many at a third tell more. A third orders
sizes nearly as the whole does, and says as much of an idea's gain in full (measured: rank
correlation 0.86 and 0.95 on two tables; `ladder`), and a candidate was already better, at full
length, on the screening blocks."""

SHORTEST = 200
"""Fewest steps of a shortened arm (assumption)."""

TEST_S = 1.0
"""Kept for predicting and scoring the test rows (measured: 0.4 s on 1,000 rows; 2.1 s on 54,000,
where the time kept for the report makes up for it)."""

DESCRIBE_SHARE = 0.02
"""Share of the limit that is kept for describing where the network errs (assumption)."""


def shortened(arm: Arm, part: int) -> Arm:
    """An arm whose whole schedule is passed through in a part of its steps.

    >>> from justright.recipe.recipe import Recipe
    >>> shortened(Arm("", Recipe(), 3000), 3).steps, shortened(Arm("", Recipe(), 100), 3).steps
    (1000, 100)
    """
    return replace(arm, steps=max(round(arm.steps / part), min(arm.steps, SHORTEST)))


def expected_best(best_at: float) -> float:
    """Share of its run at which what a champion is changed into is expected to be best, at most.

    Args:
        best_at: The champion's own.

    >>> expected_best(0.2), expected_best(0.5), expected_best(0.8)
    (0.6, 0.75, 1.0)
    """
    return min(max(BEST_LATER * best_at, LEAST_FINISH / 100), 1.0)


def _specs(*arms: Arm) -> set[PreprocessingSpec]:
    """The ways in which the rows of arms that are compared have to be encoded."""
    return {arm.recipe.preprocessing for arm in arms}


def confirmed_part(weight: int) -> int:
    """The part of the length at which an idea can be confirmed at the least.

    What is lighter learns faster, so a third flatters it, and it is confirmed in full (measured:
    letter, LOG.md).

    Args:
        weight: -1 for what is lighter and therefore welcome.

    >>> confirmed_part(-1), confirmed_part(0)
    (1, 3)
    """
    return 1 if weight < 0 else PARTS[-1]


@dataclass(frozen=True)
class Admission:
    """Prices work and says what is affordable.

    Attributes:
        session: The study at work.
        baselines_s: Seconds that all baselines take on one block.
        refit_s: Seconds to keep at least for refitting them for the test set.
        described: Whether it has been described where the network errs.
        before: The start recipe in full, with which a champion that ideas have changed is compared
            at the end; None while it is not known.
        repeats: Whether repeated cross-validation follows the final training.
        finishing: Whether a final training is still to come; not with ``--only size``, nor where
            there is no time for another one.
    """

    session: Session
    baselines_s: float
    repeats: bool = False
    finishing: bool = True
    refit_s: float = 0.0
    described: bool = False
    before: Arm | None = None

    @property
    def costs(self) -> Costs:
        """What trainings take."""
        return Costs(self.session)

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of blocks on which a confirmation may end, most first."""
        return LOOKS_SMALL if len(self.session.blocks.first) > 1 else LOOKS

    def finish_s(self, arm: Arm, best_at: float = 1.0) -> float:
        """Seconds of the final training of an arm, beside which the baselines are refitted.

        Args:
            arm: What is trained.
            best_at: Share of its run at which it ends; further seeds are held out in full.
        """
        session = self.session
        spec = arm.recipe.preprocessing
        block = session.blocks.planned(0, spec)
        rest = session.blocks.rows
        steps = round(best_at * arm.steps * rest / max(len(block.train), 1))
        longer = Arm(arm.subject, arm.recipe, steps)
        networks = session.options.ensemble
        final_s = self.costs.seeds(longer, session.blocks.inputs_of(spec), networks)
        return final_s + self.held_out_s(arm, networks)

    @property
    def after_s(self) -> float:
        """Seconds of refitting the baselines where they wait for the network's only worker."""
        return max(self.baselines_s, self.refit_s) if self.session.crew.capacity == 1 else 0.0

    @property
    def beside_s(self) -> float:
        """Seconds of refitting the baselines where they run beside the network."""
        return max(self.baselines_s, self.refit_s) - self.after_s

    def held_out_s(self, arm: Arm, networks: int) -> float:
        """Wall seconds of the further seeds of an ensemble on the screening blocks."""
        if networks == 1:
            return 0.0
        blocks = (networks - 1) * len(self.session.blocks.first)
        share = ceil(blocks / self.session.crew.capacity)
        return self.costs.wall(self.costs.work(arm, blocks), self.costs.longest(arm, share))

    def reserve_s(self, champion: Champion, *others: Arm) -> float:
        """Seconds to keep for everything that comes after the search, of whatever is dearest.

        Args:
            champion: The incumbent; its final training ends at its best step.
            others: What it may be changed into.
        """
        expected = expected_best(champion.best_at)
        reserves = [self._reserve_s(arm, expected) for arm in others]
        dearest = max([self._reserve_s(champion.arm, champion.best_at), *reserves])
        return dearest + self.whole_s(champion.arm)

    def whole_s(self, arm: Arm) -> float:
        """Seconds to keep for comparing an arm with the one before any idea; 0 if it is that."""
        if self.before is None or arm == self.before:
            return 0.0
        fewest, part = self.looks[-1], PARTS[-1]
        seconds = self.costs.both(
            shortened(arm, part), shortened(self.before, part), fewest, fewest
        )
        specs = len(_specs(arm, self.before))
        seconds += fewest * self.session.blocks.latest_encode_s * specs
        kept = WHOLE_MARGIN * seconds
        return kept if kept <= WHOLE_SHARE * self.session.clock.limit_s else 0.0

    def _reserve_s(self, arm: Arm, best_at: float) -> float:
        """Seconds to keep for an arm that is best at a share of its run."""
        session = self.session
        describe = 0.0 if self.described else DESCRIBE_SHARE * session.clock.limit_s
        if not self.finishing:
            return describe + TEST_S
        ceiling = FINISH_SHARE * session.clock.limit_s
        encoding = self.encoding_everything_s(arm)
        finish = min(max(self.finish_s(arm, best_at), self.beside_s), ceiling)
        after = min(self.after_s, ceiling)
        headline = self.headline_s(replace(arm, steps=round(best_at * arm.steps)))
        return finish + after + encoding + headline + describe + TEST_S

    def encoding_everything_s(self, arm: Arm) -> float:
        """Seconds of encoding the rows of the final training and the test rows that lie not so."""
        blocks = self.session.blocks
        known = blocks.encoded_everything(arm.recipe.preprocessing)
        return 0.0 if known else 1.5 * blocks.encode_s

    def repeat_s(self, arm: Arm, baselines_s: float) -> float:
        """Wall seconds of one repetition of cross-validation.

        Args:
            arm: The network.
            baselines_s: Worker-seconds of the baselines on all folds.
        """
        inputs = self.session.blocks.inputs_of(arm.recipe.preprocessing)
        network = self.session.seconds(arm, inputs, FOLDS)
        encoding = FOLDS * self.session.blocks.latest_encode_s
        return self.costs.wall(network + baselines_s, network) + encoding

    def headline_s(self, arm: Arm) -> float:
        """Seconds to keep for repeated cross-validation; 0 where the locked test is enough."""
        if not self.repeats:
            return 0.0
        wanted = HEADLINE_WANTED * self.repeat_s(arm, FOLDS * self.baselines_s)
        return min(wanted, HEADLINE_SHARE * self.session.clock.limit_s)

    def screen_s(
        self, arm: Arm, incumbent: Champion, pending_s: float, part: int = PARTS[-1]
    ) -> float:
        """Wall seconds of screening an arm in full and of confirming it; infinite if its final
        training would take too much of the limit.

        Args:
            arm: What a move leads to.
            incumbent: What it would replace.
            pending_s: Worker-seconds already granted to the same batch.
            part: Of the length at which it is confirmed at the least.
        """
        session, champion, costs = self.session, incumbent.arm, self.costs
        finish_s = self.finish_s(arm, expected_best(incumbent.best_at))
        if finish_s > FINISH_SHARE * session.clock.limit_s:
            return inf
        blocks = len(session.blocks.first)
        fewest, own = self.looks[-1], costs.work(arm, blocks, 1)
        other = costs.both(shortened(arm, part), shortened(champion, part), fewest, fewest)
        wall = costs.wall(pending_s + own, costs.longest(arm, blocks)) + other
        wall += session.blocks.encoding_s(session.blocks.first, arm.recipe.preprocessing)
        return wall + fewest * session.blocks.fresh_encode_s * len(_specs(arm, champion))

    def confirm(self, arm: Arm, champion: Arm, fresh: int, known: int, left: float) -> int:
        """On how many fresh blocks both arms are compared; 0 if not even the fewest fit.

        Args:
            arm: The candidate.
            champion: The incumbent.
            fresh: Number of the first of these blocks.
            known: On how many of these blocks the incumbent was trained already.
            left: Seconds until the final training must begin.
        """
        looks, blocks = self.looks, self.session.blocks
        for count in looks:
            share = 1.0 if count == looks[-1] else CONFIRM_SHARE
            own = range(fresh, fresh + count)
            encoding = sum(blocks.encoding_s(own, spec) for spec in _specs(arm, champion))
            wall = encoding + self.costs.both(arm, champion, count, max(count - known, 0))
            if wall <= share * left:
                return count
        return 0

    def confirm_part(
        self, arm: Arm, champion: Arm, fresh: int, known: int, left: float, last: int = PARTS[-1]
    ) -> int:
        """At which part of their length the arms are compared: 1, or `last` where that is dear."""
        in_full = self.confirm(arm, champion, fresh, known, left)
        return PARTS[0] if in_full > self.looks[-1] else last

    def finish_percent(self, arm: Arm, networks: int = 1) -> int:
        """Percent of a final training's steps that fit: up to 100; 0 if too few to be of use.

        Args:
            arm: What is trained.
            networks: Seeds of it.
        """
        session = self.session
        block = session.blocks.block(ALL, arm.recipe.preprocessing)
        seconds = self.costs.seeds(arm, session.blocks.inputs(block), networks)
        left = max(session.clock.work_left_s - TEST_S, 0.0)
        evidence = self.headline_s(arm) + self.held_out_s(arm, networks)
        evidence += DESCRIBE_SHARE * session.clock.limit_s + self.after_s

        def percent(available_s: float) -> int:
            return min(int(100 * available_s / max(seconds, 1e-9)), 100)

        fits = percent(left - evidence)
        if fits < LEAST_FINISH:  # what is handed over comes before its evidence
            fits = percent(left)
        return fits if fits >= LEAST_FINISH else 0

    def left(self, champion: Champion, *others: Arm) -> float:
        """Seconds until the final training must begin, of whatever is dearest.

        Args:
            champion: The incumbent.
            others: What it may be changed into.
        """
        return self.session.clock.work_left_s - self.reserve_s(champion, *others)
