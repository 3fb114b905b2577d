"""A model in memory: everything that a model folder holds, without the folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from justright.core.codec import from_document, to_document
from justright.deploy import network
from justright.model.card import classes_sentence
from justright.model.folder import documents, reading, write_files
from justright.model.onnx_file import Exported
from justright.model.predictor import Model
from justright.recipe.recipe import Recipe


class HeldModel(Model):
    """A `Model` that needs no folder: plain documents and arrays, which can be pickled.

    It predicts with the code that `save` writes beside the weights as ``network.py``.

    Args:
        recipe: What ``recipe.json`` holds.
        preprocessing: What ``preprocessing.json`` holds.
        arrays: What ``weights.safetensors`` holds.
        card: The text of ``card.md``.

    >>> model = HeldModel.of("studies/houses/model")        # doctest: +SKIP
    >>> model.save("elsewhere/model")                        # doctest: +SKIP
    """

    def __init__(
        self,
        recipe: Mapping[str, Any],
        preprocessing: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        card: str,
    ) -> None:
        super().__init__(Path("model"), recipe, preprocessing)
        self._contents = recipe
        self._arrays = dict(arrays)
        self._card = card

    @classmethod
    def of(cls, folder: str | Path) -> HeldModel:
        """Read a model folder into memory.

        Raises:
            ModelError: If it is missing, damaged, edited by hand, or of a newer format.
        """
        folder = Path(folder)
        with reading(folder):
            tensors = network.read_safetensors(folder / "weights.safetensors")
            return cls(*documents(folder), tensors, (folder / "card.md").read_text("utf-8"))

    @property
    def recipe(self) -> Recipe:
        """How the network was trained."""
        return from_document(Recipe, self._contents["recipe"])

    def save(self, folder: str | Path) -> Path:
        """Write a model folder, which `justright.load` reads; one that lies there is replaced.

        Raises:
            ModelError: If the folder cannot be written.
        """
        parts = (self._contents, self._document, self._arrays, self._card)
        return write_files(folder, *parts)

    def export_onnx(self, path: str | Path, check: Any = None) -> Exported:
        """Write the model with its preprocessing as one ONNX file: see `Model.export_onnx`."""
        with TemporaryDirectory(prefix="justright-") as place:
            return Model.load(self.save(Path(place) / "model")).export_onnx(path, check)

    def relabelled(self, classes: Sequence[str], label_type: str) -> HeldModel:
        """The same model with other names of its classes, in the order of the old ones.

        Args:
            classes: Names as text.
            label_type: How predicted labels are written back; see `Task`.
        """
        task = replace(self.task, classes=tuple(classes), label_type=label_type)
        target = {"classes": list(classes), "label_type": label_type}
        old, new = classes_sentence(self.task.classes), classes_sentence(task.classes)
        return HeldModel(
            {**self._contents, "task": to_document(task)},
            {**self._document, "target": {**self._document["target"], **target}},
            self._arrays,
            self._card.replace(old, new),
        )

    @cached_property
    def _predictor(self) -> Any:
        """The deployed file's own classes, put together as its `load` does it."""
        own = {n: a for n, a in self._arrays.items() if n.startswith("preprocessing/")}
        weights = {n: a for n, a in self._arrays.items() if n not in own}
        return network.Predictor(
            network.Preprocessing(self._document, own),
            network.Network(self._contents["network"], weights, self.task.is_classification),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Without what PyTorch holds: a pickle needs no more than documents and arrays."""
        return {name: value for name, value in vars(self).items() if name != "_predictor"}

    def __repr__(self) -> str:
        return f"HeldModel({self._summary()})"
