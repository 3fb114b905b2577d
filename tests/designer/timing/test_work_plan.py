"""The clock has one door, and what came through it is repeated exactly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from justright.core.errors import OptionError
from justright.designer.timing.work_plan import (
    LATE,
    LIMIT,
    SIZE_BUDGET,
    SIZE_ENDED,
    SIZE_LEFT,
    SIZE_PART,
    WorkPlan,
    read_plan,
)


def test_an_amount_is_asked_for_once_and_then_kept() -> None:
    asked = []
    plan = WorkPlan()

    def propose() -> int:
        asked.append(1)
        return 40 + len(asked)

    assert [plan.grant("champion steps", propose) for _ in range(3)] == [41, 41, 41]
    assert len(asked) == 1


def test_every_amount_is_recorded_before_the_work_starts() -> None:
    recorded: list[dict[str, int]] = []
    plan = WorkPlan(on_grant=lambda plan: recorded.append(dict(plan.granted)))
    plan.grant("a", lambda: 1)
    plan.grant("b", lambda: 0)
    assert recorded == [{"a": 1}, {"a": 1, "b": 0}]


def test_going_on_asks_again_for_what_was_refused_only() -> None:
    plan = WorkPlan(granted={"a": 7, "b": 0}).reopened(60.0)
    assert plan.grant("a", lambda: 1) == 7
    assert plan.grant("b", lambda: 3) == 3


def test_a_longer_limit_lets_a_size_search_go_on() -> None:
    granted = {SIZE_BUDGET: 9, SIZE_PART: 3, SIZE_ENDED: 1, "size search": 1}
    granted |= {LATE + SIZE_BUDGET: 7, LATE + SIZE_PART: 1, SIZE_LEFT: 9}
    plan = WorkPlan(granted=granted).reopened(60.0)
    assert plan.granted[LIMIT] == 60
    for limit_s in (60.0, 20.0):
        assert plan.reopened(limit_s).granted[SIZE_BUDGET] == 9
        assert SIZE_ENDED in plan.reopened(limit_s).granted
    longer = plan.reopened(600.0).granted
    assert longer == {LIMIT: 600, "size search": 1}


def test_a_repetition_never_asks_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "work.json"
    path.write_text(json.dumps(WorkPlan(granted={"a": 7, "b": 0}).document()))
    plan = read_plan(path)

    def clock() -> int:
        raise AssertionError("a repetition asked the clock")

    assert [plan.grant(key, clock) for key in ("a", "b", "unknown")] == [7, 0, 0]


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{}", '{"version": 99, "granted": {}}', '{"version": 1, "granted": {"a": -1}}'],
)
def test_what_is_no_plan_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "work.json"
    path.write_text(text)
    with pytest.raises(OptionError) as error:
        read_plan(path)
    assert "\n" not in str(error.value)


def test_a_missing_plan_names_its_path(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"nowhere\.json"):
        read_plan(tmp_path / "nowhere.json")


def test_what_the_clock_cut_is_repeated_as_cut() -> None:
    plan = WorkPlan()
    plan.grant("final 0", lambda: 100)
    plan.truncate("final 0", 0)
    assert plan.granted == {"final 0": 0}
    again = WorkPlan(granted=dict(plan.granted), repeat=True)
    assert again.grant("final 0", lambda: 100) == 0


def test_a_choice_comes_back_also_when_a_study_goes_on_or_is_repeated(tmp_path: Path) -> None:
    recorded: list[int] = []
    plan = WorkPlan(on_grant=lambda plan: recorded.append(len(plan.granted)))
    plan.choose("boosting", (0, 66, 19, 1))
    plan.choose("boosting", (0, 66, 19, 1))
    assert recorded == [4], "one record a choice"
    path = tmp_path / "work.json"
    path.write_text(json.dumps(plan.document()))
    assert read_plan(path).choice("boosting") == (0, 66, 19, 1)
    assert plan.reopened(60.0).choice("boosting") == (0, 66, 19, 1)
    assert plan.choice("knn") == ()


def test_a_repetition_records_no_choice_of_its_own() -> None:
    plan = WorkPlan(granted={"knn choice 0": 301}, repeat=True)
    plan.choose("knn", (7,))
    assert plan.choice("knn") == (300,)
