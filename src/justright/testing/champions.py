"""Champions for tests of the designer, really trained."""

from __future__ import annotations

from justright.designer.session import Arm, Champion, Session, results


def trained(session: Session, arm: Arm) -> Champion:
    """An arm as champion, with its trainings on the screening blocks."""
    spec = arm.recipe.preprocessing
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    jobs = session.train(arm, "champion", blocks, parts=1)
    own = results(session.run(jobs), jobs)
    return Champion(arm, own, session.measure(own))
