"""Shows the values of failed asserts in the shipped suite too."""

import pytest

pytest.register_assert_rewrite("justright.testing.stores")
