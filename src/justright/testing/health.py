"""What every check of a training's health must do, as a test class to inherit from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import pytest

from justright.core.finding import Finding
from justright.diagnosis.health import CHECKS, Check
from justright.diagnosis.view import Training


class HealthCheckContract(ABC):
    """Inherit, and give the checks trainings that were really made."""

    @abstractmethod
    def planted(self, code: str) -> Iterable[Training]:
        """Trainings with the fault that the check of this name looks for."""

    @abstractmethod
    def sound(self) -> Iterable[Training]:
        """Trainings without any."""

    @pytest.fixture(params=CHECKS, ids=lambda check: check.name)
    def check(self, request: pytest.FixtureRequest) -> Check:
        """The check under test."""
        return request.param

    def test_finds_the_planted_fault(self, check: Check) -> None:
        """Each spoiled training is found out, with figures and what to do."""
        for training in self.planted(check.name):
            found = list(check.find(training))
            assert [finding.code for finding in found] == [check.name]
            for finding in found:
                _check_finding(finding)

    def test_is_silent_on_sound_trainings(self, check: Check) -> None:
        """No fault, no finding."""
        assert [finding for each in self.sound() for finding in check.find(each)] == []

    def test_says_nothing_of_what_was_not_measured(self, check: Check) -> None:
        """Without curves, or with one of them alone, there is nothing to object to or to break."""
        assert not list(check.find(Training({})))
        (training, *_) = self.planted(check.name)
        for name, curve in training.curves.items():
            for finding in check.find(Training({name: curve})):
                _check_finding(finding)

    def test_survives_figures_that_are_none(self, check: Check) -> None:
        """A training that breaks leaves zeros, infinities and what is not a number."""
        (training, *_) = self.planted(check.name)
        for value in (math.nan, math.inf, 0.0):
            broken = {
                n: (steps, [value] * len(steps)) for n, (steps, _) in training.curves.items()
            }
            list(check.find(Training(broken, training.activation, training.clip)))


def _check_finding(finding: Finding) -> None:
    assert any(sign.isdigit() for sign in finding.message), "a message says how much"
    assert finding.action
    assert all(math.isfinite(number) for number in finding.numbers.values())
