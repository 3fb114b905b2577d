"""What is left when everything was done once: the reserves err on the safe side.

First the race of rates and the size search, if there was no time for them before, then the ideas
that were refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from justright.designer.improvement.improve import Improver
from justright.designer.stages.finish import Final, finish
from justright.designer.stages.rate import find_rate, was_refused
from justright.designer.stages.size import SizeStage, lead_on
from justright.designer.timing.work_plan import ANOTHER_FINAL, LATE
from justright.designer.work.admission import Admission
from justright.designer.work.session import Champion, Session
from justright.ideas.rule import Leads

LEAST_TO_TRY = 1.6
"""Final trainings' seconds that the cheapest idea takes, a run of a third of the length: to be
screened, confirmed, and trained on all rows (assumption, from the prices of these)."""


@dataclass(frozen=True)
class Rest:
    """Goes on improving a network that has its final training.

    Attributes:
        session: The study at work.
        improver: Knows what was tried.
        admission: Says what fits into the time; without the baselines, which are refitted.
        tolerance: Smallest difference that matters.
    """

    session: Session
    improver: Improver
    admission: Admission
    tolerance: float

    def use(self, champion: Champion, final: Final) -> tuple[Champion, Final]:
        """Improve while the time lasts; each better champion is trained anew on all rows.

        Args:
            champion: The best recipe so far.
            final: Its final training.
        """
        self.improver.use(self.admission)
        known = self.improver.leads
        found = self._search(champion, self._race(champion, known))
        more = found != known
        if more:
            self.improver.follow(found)
        while more or self.improver.refused:
            more, better = False, self.improver.run(champion)
            if better is champion:
                break
            again = finish(self.session, better, self.admission)
            if final.refitted and not again.refitted:
                break  # there was no time for it after all: what was finished stays
            champion, final = better, again
        return champion, final

    def _race(self, champion: Champion, leads: Leads) -> Leads:
        """Race the rates."""
        if not was_refused(self.session) or not self.improver.has_rounds:
            return leads
        return find_rate(self.session, champion, self.admission, leads, LATE)

    def _search(self, champion: Champion, leads: Leads) -> Leads:
        """Search the size."""
        if leads.size is not None:
            return leads
        admission = self._searching(champion)
        stage = SizeStage(self.session, champion, admission, self.tolerance, late=True)
        found = stage.run()
        if found is None:
            return leads
        return lead_on(leads, stage, found)

    def _searching(self, champion: Champion) -> Admission:
        """Nothing is kept for another final training where there is no time to try anything."""

        def propose() -> int:
            taken = LEAST_TO_TRY * self.admission.finish_s(champion.arm)
            return 2 if self.admission.repeats or self.session.clock.work_left_s > taken else 1

        answer = self.session.plan.grant(ANOTHER_FINAL, propose)
        return replace(self.admission, finishing=answer != 1)
