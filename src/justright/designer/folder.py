"""Where the files of a study lie."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from justright.core.errors import OptionError


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

    @property
    def log(self) -> Path:
        """What the workers printed."""
        return self.root / "workers.log"

    def create(self) -> None:
        """Make the folders.

        Raises:
            OptionError: If they cannot be made or written to.
        """
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

    def clear_cache(self) -> None:
        """Remove what can be rebuilt."""
        shutil.rmtree(self.cache, ignore_errors=True)
