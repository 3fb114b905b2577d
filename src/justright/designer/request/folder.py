"""Where the files of a study lie."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from justright.core.errors import OptionError

REFIT = "model-refit-"
"""How folders of models begin that were trained on other data; a number follows."""


@dataclass(frozen=True)
class StudyFolder:
    """The folder of one study.

    Attributes:
        root: ``studies/NAME``.
    """

    root: Path

    @property
    def model(self) -> Path:
        """The model that can be handed over now."""
        return self.root / "model"

    @property
    def report(self) -> Path:
        """The offline report."""
        return self.root / "report.html"

    @property
    def verdict(self) -> Path:
        """The machine-readable verdict."""
        return self.root / "verdict.json"

    @property
    def out_of_fold(self) -> Path:
        """Predictions of rows by networks that did not learn from them."""
        return self.root / "oof.parquet"

    @property
    def learned(self) -> Path:
        """Marks of the rows that the study learned from: see `data.marks`."""
        return self.root / "learned.npy"

    @property
    def refits(self) -> tuple[Path, ...]:
        """Models of the same recipe on other data, oldest first."""
        found = [path for path in self.root.glob(f"{REFIT}*") if _number(path).isdecimal()]
        return tuple(sorted(found, key=lambda path: int(_number(path))))

    @property
    def next_refit(self) -> Path:
        """Where another such model is to lie."""
        last = int(_number(self.refits[-1])) if self.refits else 0
        return self.root / f"{REFIT}{last + 1}"

    @property
    def work(self) -> Path:
        """The work plan, in steps, for ``--work``."""
        return self.root / "work.json"

    @property
    def trials(self) -> Path:
        """Weights and validation predictions of finished trials."""
        return self.root / "trials"

    @property
    def cache(self) -> Path:
        """Encoded rows; can be rebuilt, removed when the study ends."""
        return self.root / "cache"

    def create(self) -> None:
        """Make the folders.

        Raises:
            OptionError: If they cannot be made or written to, or if other files lie there.
        """
        self._check_strangers()
        try:
            for folder in (self.root, self.trials, self.cache):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".write-{os.getpid()}"
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            raise OptionError(
                f"cannot write to {str(self.root)!r} ({error.strerror or error})",
                hint="choose another folder with --studies DIR",
            ) from error

    def _check_strangers(self) -> None:
        """Never mix with files of somebody else: removing a study removes its folder."""
        own = {path.name for path in self._parts()}
        try:
            names = {name for name in os.listdir(self.root) if not name.startswith(".")}
        except OSError:  # nothing there yet, or nothing that could be a folder
            return
        if strange := sorted(names - own):
            raise OptionError(
                f"the folder {str(self.root)!r} holds other files, such as {strange[0]!r}",
                hint="choose another name with --name, or another folder with --studies",
            )

    def _parts(self) -> tuple[Path, ...]:
        files = (self.report, self.verdict, self.work, self.out_of_fold, self.learned)
        return (self.model, self.trials, self.cache, *files, *self.refits)

    def remove(self) -> None:
        """Remove the study's files, and the folder if nothing else is in it."""
        halves = [half for part in self._parts() for half in self.root.glob(f".{part.name}.*")]
        for part in (*self._parts(), *halves):
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other files lie there, or it is gone already
            self.root.rmdir()

    def clear_cache(self) -> None:
        """Remove what can be rebuilt."""
        shutil.rmtree(self.cache, ignore_errors=True)


def _number(refit: Path) -> str:
    return refit.name.removeprefix(REFIT)
