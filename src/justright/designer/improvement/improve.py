"""The anytime part: the start recipe in full, then ideas around the champion in rounds.

A round goes through the ideas of the catalogue, stage by stage, or by expected gain per second
where there is no time for all. The ideas of a batch climb a ladder on the champion's own blocks;
what looks better there is trained beside the champion on blocks that no decision has seen, and
replaces it only if the corrected interval of the paired difference excludes zero there (a heavier
one has to be better by what matters in the mean, too), or if it is the lighter size that the
search chose and surely not worse by what matters. After a change the rest of the batch is tried
again, around the new champion. Rounds go on until one accepts nothing, or until the time is needed
for the final training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from justright.data.split import SANITY_BELOW
from justright.designer.improvement.advice import few_of
from justright.designer.improvement.batches import Batch, most_promising, still_promising
from justright.designer.improvement.confirm import LIGHTER, Confirmer
from justright.designer.improvement.idea_decisions import record_compared, record_screening
from justright.designer.improvement.idea_log import IdeaLog
from justright.designer.improvement.in_full import (
    FORMS,
    decision_of,
    fuller,
    is_early,
    is_taken,
    judge_in_full,
)
from justright.designer.improvement.ladder import Climb, arm_of, best_of_slots, climb, climb_s
from justright.designer.improvement.ranking import order_of
from justright.designer.improvement.schedule_race import record_race
from justright.designer.improvement.screening import (
    Screened,
    Tried,
    least_gain,
    screen,
    screen_verdict,
)
from justright.designer.improvement.situation import past_outcomes, situation_of
from justright.designer.request.limits import weight_of
from justright.designer.stages.range_test import RATE_KEY
from justright.designer.stages.rate import follow_change
from justright.designer.work.admission import Admission
from justright.designer.work.allowed import Allowed
from justright.designer.work.session import Arm, Champion, Session, not_run
from justright.diagnosis.states import State
from justright.ideas.calibration import calibrate
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Leads, Move
from justright.sizing.shapes import Hidden

LEAST_ROUND_S = 1.0
"""Less time than this is not worth looking for what fits into it (assumption)."""

MOST_ROUNDS = 6
"""Rounds after which nothing new is expected (assumption; most studies end earlier)."""


class Improver:
    """Runs rounds of ideas for one study.

    Args:
        session: The study at work.
        admission: Says what fits into the time.
        on_champion: Called with each new champion, to save it.
        delta: Smallest difference of the deciding metric that matters.
        state_of: Says what a champion's training suffers from, as each round begins.

    Attributes:
        refused: Whether the latest rounds left out an idea for lack of time.
        leads: What was measured on these data so far.
    """

    def __init__(
        self,
        session: Session,
        admission: Admission,
        on_champion: Callable[[Champion], None],
        delta: float,
        state_of: Callable[[Champion], State] = lambda _: State.UNKNOWN,
    ) -> None:
        self._session = session
        self._admission = admission
        self._on_champion = on_champion
        self._delta = delta
        self._state_of, self._state = state_of, State.UNKNOWN
        self._round = 0
        self._log = IdeaLog(session)
        self._calibration = calibrate(past_outcomes(session))
        self.refused = False
        self._left_out: list[str] = []
        self.leads = Leads(blocks=max(session.blocks.first) + 1)
        self._confirmer = self._new_confirmer()

    @property
    def has_rounds(self) -> bool:
        """Whether there may be another round."""
        return self._round < MOST_ROUNDS

    @property
    def used(self) -> int:
        """Blocks below this number were seen by decisions."""
        return self._confirmer.used

    def follow(self, leads: Leads) -> None:
        """Take up what was measured on these data since the champion was trained."""
        self.leads = replace(leads, blocks=max(leads.blocks, self._confirmer.used))
        self._confirmer = self._new_confirmer()

    def use(self, admission: Admission) -> None:
        """Let something else say what fits into the time."""
        self._admission = admission
        self._confirmer.use(admission)

    def run(self, champion: Champion) -> Champion:
        """Improve the champion while time and ideas last; it can be called again."""
        self.refused = False
        while self.has_rounds:
            self._round, number, before = self._round + 1, self._round + 1, champion
            if not self._session.plan.grant(f"round {number}", lambda c=champion: self._time(c)):
                self.refused = True
                break
            self._confirmer.next_round()
            self._state = self._diagnosed(champion, number)
            least = least_gain(self._session, champion, number)
            for batch in self._batches(champion, number):
                champion = self._work_off(champion, number, batch, least)
            if self._left_out:
                left_out, self._left_out = list(dict.fromkeys(self._left_out)), []
                self._session.watch.headline(f"no time for {few_of(left_out)}")
            if champion is before:
                break
            if self.has_rounds:
                self.leads = follow_change(
                    self._session, champion, self._admission, self.leads, number
                )
        return champion

    def complete(self, champion: Champion) -> Champion:
        """Give the champion what the start recipe asks for beyond its quick first form."""
        for key in FORMS:
            form = fuller(self._session, self._admission, champion, key)
            if form is None:
                continue
            move, arm = form.move, form.arm
            tried = Tried(move, arm, key, "")
            seconds = self._admission.costs.work(arm, len(self._session.blocks.first))
            tried = replace(tried, own=self._log.foretell(move.idea, seconds))
            found = []
            if form.granted:
                reserve_s = self._admission.reserve_s(champion, arm)
                found = screen(self._session, champion, [tried], reserve_s)
            verdict, early = not_run(arm, {"reason": "no time, or no result"}), False
            if not found:
                self._session.plan.truncate(f"{key} steps", 0)
            else:
                verdict = judge_in_full(self._session, champion, found[0].rival)
                early = is_early(form, champion, found[0].rival)
                decision = decision_of(form, verdict, early=early)
                self._session.store.ledger.decide(self._session.name, decision)
            accepted = is_taken(verdict, early=early)
            self._log.judge(key, move, tried.own, verdict, accepted=accepted)
            if accepted:
                champion = self._crown(champion, found[0].rival)
                if key != RATE_KEY:
                    break
        return champion

    def _diagnosed(self, champion: Champion, number: int) -> State:
        """The state when the round began; what was learned later does not change its order."""
        states = tuple(State)
        key = f"round {number} state"
        place = self._session.plan.grant(key, lambda: 1 + states.index(self._state_of(champion)))
        return states[place - 1] if place else State.UNKNOWN

    def _time(self, champion: Champion) -> int:
        """Whether there is any time for a round: 1 or 0."""
        return int(self._admission.left(champion) > LEAST_ROUND_S)

    def _batches(self, champion: Champion, number: int) -> tuple[Batch, ...]:
        """What is tried one after the other in a round."""
        tried, in_hand = self._open(champion, self._moves(champion), ""), self._log.in_hand
        return order_of(self._session, self._admission, champion, tried, number, in_hand)

    def _work_off(self, champion: Champion, number: int, batch: Batch, least: float) -> Champion:
        """Try the ideas of a batch, again after each change, until nothing changes."""
        times = 0
        while True:
            times += 1
            key = f"round {number}" + (f".{times}" if times > 1 else "")
            moves = [m for m in self._moves(champion) if m.idea.slot in batch]
            tried = self._open(champion, moves, key)
            if not tried:
                return champion
            tried = [replace(each, own=self._foretell(each, champion.arm)) for each in tried]
            before, champion = champion, self._try(champion, tried, least)
            if champion is before:
                return champion

    def _open(self, champion: Champion, moves: Sequence[Move], key: str) -> list[Tried]:
        """The ideas that have no answer yet."""
        tried = [
            Tried(
                move,
                arm_of(champion.arm, move),
                f"{key}/{move.idea.slot}",
                "",
                _weight(self._session, move, champion.arm, self.leads.size),
            )
            for move in moves
        ]
        return [each for each in tried if not self._log.is_judged(each.move, each.arm)]

    def _try(self, champion: Champion, tried: Sequence[Tried], least: float) -> Champion:
        """Let ideas climb, and confirm the best of each slot until one is taken."""

        def hopes(each: Screened) -> bool:
            return self._goes_on(each, least)

        seen = climb(self._session, self._admission, champion, tried, hopes)
        if seen.refused:
            self.refused = True
            self._left_out += [each.move.idea.title for each in seen.refused]
        hopeful = best_of_slots([each for each in seen.found if hopes(each)])
        rest = [each for each in seen.found if each not in hopeful]
        self._judge_screened(tried, seen, hopeful)
        record_screening(self._session, champion, seen.ended)
        record_screening(self._session, champion, rest)
        new, overtaken = champion, []
        for place, each in enumerate(hopeful):
            if self._confirm(champion, each):
                overtaken = hopeful[place + 1 :]
                self._leave(overtaken)
                new = self._crown(champion, each.rival)
                break
        record_race(self._session, champion, seen, overtaken)
        return new

    def _judge_screened(
        self, tried: Sequence[Tried], seen: Climb, hopeful: Sequence[Screened]
    ) -> None:
        """Record how ideas ended that are not confirmed."""
        known = {each.tried.own: each for each in (*seen.ended, *seen.found)}
        thirds = {each.tried.own: each.gain for each in seen.thirds}
        for each in tried:
            if any(one.tried is each for one in hopeful):
                continue
            found = known.get(each.own)
            verdict = screen_verdict(each.arm, found)
            if found is None and each.own in thirds:
                reason = "no time to train it in full, or no result"
                evidence = {"reason": reason, "gain at a third": thirds[each.own]}
                verdict = not_run(each.arm, evidence)
            ends = found not in seen.ended or seen.settles(found)
            self._log.judge(each.key, each.move, each.own, verdict, accepted=False, ends=ends)

    def _leave(self, overtaken: Sequence[Screened]) -> None:
        """What looked promising is tried again around the new champion."""
        for each in overtaken:
            verdict = screen_verdict(each.tried.arm, each)
            tried = each.tried
            self._log.judge(tried.key, tried.move, tried.own, verdict, accepted=False, ends=False)

    def _confirm(self, champion: Champion, each: Screened) -> bool:
        """Compare an idea with the champion on fresh blocks; whether it is taken."""
        tried = each.tried
        verdict = self._confirmer.confirm(champion, each.rival, tried.key, tried.weight)
        accepted = verdict.word in ("better", LIGHTER)
        self._log.judge(tried.key, tried.move, tried.own, verdict, accepted=accepted)
        record_compared(self._session, tried.move, verdict, accepted=accepted)
        return accepted

    def _crown(self, champion: Champion, rival: Champion) -> Champion:
        new = replace(rival, confirmed=champion.confirmed + 1)
        self._on_champion(new)
        return new

    def _goes_on(self, each: Screened, least: float) -> bool:
        """Whether a screened idea is worth confirming; a lighter one need not be better."""
        return each.gain > (-self._delta if each.tried.weight < 0 else least)

    def _foretell(self, each: Tried, champion: Arm) -> str:
        seconds = climb_s(self._admission, each, champion)
        return self._log.foretell(each.move.idea, seconds)

    def _moves(self, champion: Champion) -> tuple[Move, ...]:
        situation = situation_of(
            self._session, champion, self.leads, self._calibration, self._state
        )
        moves = propose_moves(situation)
        if self._session.blocks.problem.table.rows < SANITY_BELOW:
            moves = most_promising(moves)
        allowed = Allowed(self._session).among([m.recipe for m in moves], situation.inputs)
        moves = tuple(move for move in moves if move.recipe in allowed)
        return still_promising(moves, self._log.in_hand)

    def _new_confirmer(self) -> Confirmer:
        return Confirmer(self._session, self._admission, self.leads.blocks, self._delta)


def _weight(session: Session, move: Move, champion: Arm, chosen: Hidden | None) -> int:
    """1 if an idea is heavier than the champion, -1 if it is the lighter size that was chosen.

    Else 0, as where accuracy is preferred.
    """
    if session.options.size.prefer != "small":
        return 0
    recipe = move.recipe
    inputs = session.blocks.inputs_of(recipe.preprocessing)
    more = weight_of(recipe, inputs) - weight_of(champion.recipe, inputs)
    sized = move.idea.slot == "shape" and recipe.shape.hidden == chosen
    return 1 if more > 0 else -1 if more < 0 and sized else 0
