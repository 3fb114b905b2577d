"""Blocks of a study, encoded once and kept until the study ends."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from justright.core.codec import fingerprint
from justright.core.seeds import child_seed
from justright.data.encode import write_encoded
from justright.data.encoded import EncodedRows
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import Problem
from justright.data.split import (
    CROSS_VALIDATE_BELOW,
    FOLDS,
    HOLD_OUT_ABOVE,
    REPORTED,
    Partition,
    Splits,
    partition,
)
from justright.deploy.network import Preprocessing
from justright.designer.work.jobs import EncodedBlock
from justright.recipe.network import Inputs
from justright.recipe.recipe import PreprocessingSpec
from justright.statistics.intervals import Sample

ALL = -1
"""Number of the block that holds every row that is not a test row: the final training's."""

_SECONDS = "seconds"
"""File beside encoded rows: how long encoding them took, for a study that goes on with them."""


@dataclass
class Blocks:
    """Makes blocks of a problem, and encodes each partition when it is first asked for.

    Attributes:
        problem: The table and its task.
        splits: Test rows and the rest.
        cache: Folder for the encoded rows.
        seed: Root seed of the study.
        spec: How columns become numbers for the baselines.
        encode_s: Longest that encoding a partition took so far.
        latest_encode_s: How long the latest took; the first of a process takes longest.
    """

    problem: Problem
    splits: Splits
    cache: Path
    seed: int
    spec: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    encode_s: float = 0.0
    latest_encode_s: float = 0.0
    _parts: dict[int, Partition] = field(default_factory=dict, init=False, repr=False)
    _inputs: dict[Path, Inputs] = field(default_factory=dict, init=False, repr=False)

    @property
    def rows(self) -> int:
        """Rows that are not test rows."""
        return len(self.splits.rest)

    @property
    def first(self) -> tuple[int, ...]:
        """Blocks on which ideas are screened: one, or the five folds of a small table."""
        return tuple(range(FOLDS)) if self.rows < CROSS_VALIDATE_BELOW else (0,)

    @property
    def fixed_holdout(self) -> bool:
        """Whether all blocks of the search share their partition."""
        return self.rows > HOLD_OUT_ABOVE

    def shared(self, number: int) -> bool:
        """Whether a block has the partition that all blocks of the search share."""
        return self.fixed_holdout and 0 <= number < REPORTED

    def block(self, number: int, spec: PreprocessingSpec, repeat: int = 0) -> EncodedBlock:
        """One block, encoded.

        Args:
            number: From 0; `ALL` for the final training.
            spec: How columns become numbers.
            repeat: Another seed on the same partition, to tell seed noise from split noise.
        """
        planned = self.planned(number, spec, repeat)
        self._encode(planned, spec)
        return planned

    def planned(self, number: int, spec: PreprocessingSpec, repeat: int = 0) -> EncodedBlock:
        """One block as `block` returns it, but its rows need not lie encoded yet."""
        part = self._part(number)
        return EncodedBlock(
            number=number,
            partition=part.key,
            seed=child_seed(self.seed, "block", number, repeat),
            folder=self.cache / fingerprint([part.key, spec]),
            train=part.train,
            validation=part.validation,
            overlap=part.overlap,
        )

    def encoded_as(self, block: EncodedBlock, spec: PreprocessingSpec) -> EncodedBlock:
        """A block with the same rows and seed, its columns and targets turned into numbers so.

        Recipes may differ in this and are compared on the same rows all the same.
        """
        planned = self.planned(block.number, spec)
        if planned.folder == block.folder:
            return block
        self._encode(planned, spec)
        return replace(block, folder=planned.folder)

    @property
    def fresh_encode_s(self) -> float:
        """Seconds of encoding what a search meets next; 0 where its blocks share a partition."""
        return 0.0 if self.fixed_holdout else self.latest_encode_s

    def encoding_s(self, numbers: Iterable[int], spec: PreprocessingSpec) -> float:
        """Seconds of encoding those of some blocks whose rows do not lie encoded."""
        folders = {self.planned(number, spec).folder for number in numbers}
        return self.latest_encode_s * sum(not _lies_encoded(folder) for folder in folders)

    def inputs(self, block: EncodedBlock) -> Inputs:
        """What a network on this block receives and returns."""
        if block.folder not in self._inputs:
            self._inputs[block.folder] = EncodedRows(block.folder).meta.inputs
        return self._inputs[block.folder]

    def inputs_of(self, spec: PreprocessingSpec) -> Inputs:
        """What networks receive and return whose columns become numbers so, on the first block.

        The scale of the target changes nothing of it, so nothing is encoded to know the price of
        an idea about it.
        """
        return self.inputs(self.block(0, replace(spec, target=self.spec.target)))

    def sample(self, block: EncodedBlock) -> Sample:
        """The validation rows of a block, to be judged on."""
        return self.rows_sample(self.splits.rest[block.validation])

    def rows_sample(self, rows: np.ndarray) -> Sample:
        """Some rows of the table with what their statistics need."""
        problem = self.problem
        weights, groups, times = problem.weights(), problem.groups(), problem.times()
        return Sample(
            y=problem.target()[rows],
            weights=None if weights is None else weights[rows],
            groups=None if groups is None else groups[rows],
            times=None if times is None else times[rows],
        )

    def test_folder(self, spec: PreprocessingSpec) -> Path:
        """The test rows, encoded with what all other rows taught."""
        taught = self.block(ALL, spec).folder
        path = self.cache / f"test-{taught.name}"
        if not _lies_encoded(path):
            taught_preprocessing = EncodedRows(taught).preprocessing()
            self._write(path, taught_preprocessing, self.splits.test, time.perf_counter())
        return path

    def encoded_everything(self, spec: PreprocessingSpec) -> bool:
        """Whether the rows of the final training and the test rows lie encoded."""
        taught = self.planned(ALL, spec).folder
        return _lies_encoded(self.cache / f"test-{taught.name}")

    def _part(self, number: int) -> Partition:
        """The partition of a block, in places of the rest, worked out once."""
        if self.shared(number):
            number = 0
        if number not in self._parts:
            rest = self.splits.rest
            if number == ALL:
                part = Partition("all", rest, rest[:0])
            else:
                part = partition(self.problem, self.splits, number)
            train, validation = _places(rest, part.train), _places(rest, part.validation)
            self._parts[number] = replace(part, train=train, validation=validation)
        return self._parts[number]

    def _encode(self, block: EncodedBlock, spec: PreprocessingSpec) -> None:
        if not _lies_encoded(block.folder):
            began, rest = time.perf_counter(), self.splits.rest
            preprocessing = fit_preprocessing(self.problem, rest[block.train], spec, rest)
            self._write(block.folder, preprocessing, rest, began)
        elif self.encode_s:
            return
        self.latest_encode_s = float((block.folder / _SECONDS).read_text())
        self.encode_s = max(self.encode_s, self.latest_encode_s)

    def _write(
        self, path: Path, preprocessing: Preprocessing, rows: np.ndarray, began: float
    ) -> None:
        """Write beside and rename, so that a killed study leaves no half-written rows."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
        shutil.rmtree(temporary, ignore_errors=True)
        write_encoded(self.problem, preprocessing, rows, temporary)
        (temporary / _SECONDS).write_text(str(time.perf_counter() - began))
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)


def _lies_encoded(path: Path) -> bool:
    return (path / _SECONDS).exists()


def _places(rest: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Places of rows in `rest`, which is sorted."""
    return np.searchsorted(rest, rows).astype(np.int64)
