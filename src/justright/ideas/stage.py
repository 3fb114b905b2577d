"""The stages in which ideas are tried."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """What an idea is about; the members are in the order in which overfitting is fought.

    First a network that is trained well, then more data, augmentation, an architecture that
    generalises better, regularisation, and only then another size (Howard & Gugger 2020, chapter
    15); how the training ends comes last. No head-to-head comparison of orders is known.
    """

    TRAINING = "training"
    DATA = "data"
    AUGMENTATION = "augmentation"
    ARCHITECTURE = "architecture"
    REGULARISATION = "regularisation"
    SIZE = "size"
    FINISH = "finish"


ORDER = tuple(Stage)
"""The stages, first to last."""
