"""A good set with one fault: it is found, by the check that is for it."""

import os
from copy import deepcopy
from random import Random

import pytest

from tests.manifests import Manifest
from tests.verify.faults import FAULTS, Fault
from traversion.verify import from_objects, verify

_PROMISED = 300
# In CI as many as are promised; at a desk, enough to be warned.
_TIMES = -(-_PROMISED // len(FAULTS)) if os.environ.get("CI") else 2


@pytest.mark.parametrize("fault", FAULTS, ids=[each.what for each in FAULTS])
def test_a_single_fault_is_found(fault: Fault, production: list[Manifest]) -> None:
    for seed in range(_TIMES):
        spoilt = deepcopy(production)
        assert fault.spoil(spoilt, Random(seed)), "nothing to spoil"  # noqa: S311 # places, not secrets
        found = {each.check.id for each in verify(from_objects(spoilt))}
        assert fault.check in found, f"in place {seed}: {sorted(found)}"


def test_the_good_set_is_good(
    production: list[Manifest], staging: list[Manifest], dev: list[Manifest]
) -> None:
    for manifests in (production, staging, dev):
        assert [str(finding) for finding in verify(from_objects(manifests))] == []
