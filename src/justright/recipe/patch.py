"""Patches: small, named changes to a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from justright.core.codec import from_document, to_document
from justright.recipe.recipe import Recipe


@dataclass(frozen=True)
class Patch:
    """A named change: dotted path into the recipe to its new value.

    >>> Patch("rate × 3", {"optimiser.rate": 0.12}).apply(Recipe()).optimiser.rate
    0.12
    """

    name: str
    changes: Mapping[str, Any]

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with the changes made.

        Raises:
            ValueError: If a path does not exist in the recipe.
        """
        document = to_document(recipe)
        for path, value in self.changes.items():
            *parents, leaf = path.split(".")
            place = document
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if not isinstance(place, dict) or leaf not in place:
                raise ValueError(f"patch {self.name!r}: the recipe has no {path!r}")
            place[leaf] = to_document(value)
        return from_document(Recipe, document)
