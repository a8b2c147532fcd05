"""What `--explain` shows as wrong is found, and what it shows as right is not."""

import pytest

from tests.verify.cases import found
from traversion.verify import CHECKS


@pytest.mark.parametrize("identifier", CHECKS)
def test_the_wrong_example_is_found(identifier: str) -> None:
    assert identifier in found(CHECKS[identifier].wrong)


@pytest.mark.parametrize("identifier", CHECKS)
def test_the_right_example_is_not(identifier: str) -> None:
    assert identifier not in found(CHECKS[identifier].right)
