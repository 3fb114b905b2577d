"""What is left when everything was done once: the reserves err on the safe side.

First a size search that there was no time for before, then the ideas that were refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from justright.designer.admission import Admission
from justright.designer.finish import Final, finish
from justright.designer.improve import Improver
from justright.designer.moves import Leads
from justright.designer.session import Champion, Session
from justright.designer.size import SizeStage


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

    def use(self, champion: Champion, final: Final, leads: Leads) -> tuple[Champion, Final]:
        """Improve while the time lasts; each better champion is trained anew on all rows.

        Args:
            champion: The best recipe so far.
            final: Its final training.
            leads: What was measured on these data so far.
        """
        self.improver.use(self.admission)
        more = leads.size is None and self._search(champion, leads)
        while more or self.improver.refused:
            more, better = False, self.improver.run(champion)
            if better is champion:
                break
            again = finish(self.session, better, self.admission)
            if final.refitted and not again.refitted:
                break  # there was no time for it after all: what was finished stays
            champion, final = better, again
        return champion, final

    def _search(self, champion: Champion, leads: Leads) -> bool:
        """Search the size; whether the improver got something to try."""
        stage = SizeStage(self.session, champion, self.admission, self.tolerance, late=True)
        found = stage.run()
        if found is None:
            return False
        self.improver.follow(replace(leads, size=found.chosen, blocks=stage.blocks_seen))
        return True
