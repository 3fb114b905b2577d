"""What a user allows a network to weigh."""

from __future__ import annotations

import pytest

from justright.core.errors import OptionError
from justright.data.options import DataOptions
from justright.designer.limits import SizeWishes, weight_of, with_hidden
from justright.designer.options import FitOptions, parse_bytes
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.sizing.shapes import SHAPES

INPUTS = Inputs(10, 4, (), 1)


@pytest.mark.parametrize("most", [300, 1_000, 20_000, 10**9])
def test_a_recipe_is_brought_within_the_limit_and_no_lighter_than_needed(most):
    recipe = with_hidden(Recipe(), (128, 128))
    found = SizeWishes(params=most).within(recipe, INPUTS)
    assert weight_of(found, INPUTS) <= most
    if weight_of(recipe, INPUTS) <= most:
        assert found == recipe
    else:
        weights = [weight_of(with_hidden(recipe, hidden), INPUTS) for hidden in SHAPES]
        assert weight_of(found, INPUTS) == max(w for w in weights if w <= most)


def test_memory_and_weights_both_bind():
    assert SizeWishes(params=1_000, memory=2_000).weights == 500
    assert SizeWishes(params=400, memory=2_000).weights == 400
    assert SizeWishes().weights is None


def test_a_limit_that_nothing_meets_is_refused_with_the_least():
    with pytest.raises(OptionError, match="at most 10 weights") as refusal:
        SizeWishes(params=10).within(Recipe(), INPUTS)
    least = min(weight_of(with_hidden(Recipe(), hidden), INPUTS) for hidden in SHAPES)
    assert f"--max-params {least}" in str(refusal.value.hint)


@pytest.mark.parametrize(
    ("text", "count"), [("200kB", 200_000), ("1.5 MB", 1_500_000), (64, 64), ("1g", 10**9)]
)
def test_sizes_are_read_as_people_write_them(text, count):
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["much", "-3kB", "3 parsecs", ""])
def test_sizes_that_cannot_be_read_are_refused(text):
    with pytest.raises(OptionError, match="cannot read the size"):
        parse_bytes(text)


def test_nonsense_wishes_are_refused():
    for wrong in ((0, None, "small"), (None, -1, "small"), (None, None, "big")):
        with pytest.raises(OptionError):
            SizeWishes(*wrong)
    with pytest.raises(OptionError, match="--only"):
        FitOptions(DataOptions(target=("y",)), only="network")
