"""Demands add up as the scheduler and the quota add them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from traversion.platform.capacity import Capacity, Demand
from traversion.settings import Resources
from traversion.values import bytes_of, millicores_of

quick = settings(deadline=None, max_examples=50)


@st.composite
def some_resources(draw: st.DrawFn) -> Resources:
    cpu, more_cpu = draw(st.integers(1, 4000)), draw(st.integers(0, 4000))
    memory, more_memory = draw(st.integers(1, 4096)), draw(st.integers(0, 4096))
    return Resources(
        cpu=f"{cpu}m",
        cpu_limit=f"{cpu + more_cpu}m",
        memory=f"{memory}Mi",
        memory_limit=f"{memory + more_memory}Mi",
    )


several = st.lists(some_resources(), max_size=4)


@quick
@given(several.filter(bool), several)
def test_a_pod_needs_its_containers_together_or_its_largest_beginning(
    containers: list[Resources], beginning: list[Resources]
) -> None:
    demand = Demand.of_pod(containers, beginning)
    for field, measure in (
        ("cpu", millicores_of),
        ("cpu_limit", millicores_of),
        ("memory", bytes_of),
        ("memory_limit", bytes_of),
    ):
        together = sum(measure(getattr(container, field)) for container in containers)
        alone = [measure(getattr(container, field)) for container in beginning]
        assert getattr(demand, field) == max([together, *alone])


@quick
@given(st.lists(st.tuples(st.integers(1, 20), some_resources()), min_size=1, max_size=5))
def test_what_is_counted_does_not_depend_on_the_order(pods: list[tuple[int, Resources]]) -> None:
    forwards, backwards = Capacity(), Capacity()
    for count, container in pods:
        forwards.add_pods(count, [container], [])
    for count, container in reversed(pods):
        for _ in range(count):
            backwards.add_pods(1, [container], [])
    assert forwards == backwards
    assert forwards.pods == sum(count for count, _ in pods)
    for _, container in pods:
        assert millicores_of(container.cpu_limit) <= forwards.largest.cpu_limit
        assert bytes_of(container.memory_limit) <= forwards.largest.memory_limit


def test_claims_are_counted_in_number_and_size() -> None:
    capacity = Capacity()
    capacity.add_claim("10Gi", 3)
    capacity.add_claim("1G")
    assert (capacity.claims, capacity.storage) == (4, 3 * 10 * 2**30 + 10**9)
