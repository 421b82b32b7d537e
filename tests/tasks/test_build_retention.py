"""Which machine images may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.build_retention import choose_prunable
from tasks.builds import Build

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def build(day: int, kind: str = "link", state: str = "available") -> Build:
    """A machine image of that day; its id says which."""
    return Build(
        ami=f"ami-{kind}-{day}",
        name=f"tyrell-{kind}-{day}",
        kind=kind,
        release=str(day),
        key=str(day),
        state=state,
        created=BEGIN + timedelta(days=day),
        images={},
        commit="",
        snapshots=(),
        tags={},
    )


def prunable(builds: list[Build], used: set[str]) -> list[str]:
    """The ids of those that may go."""
    return [each.ami for each in choose_prunable(builds, used)]


def test_the_newest_of_each_kind_stays_and_the_others_go_oldest_first() -> None:
    builds = [build(3), build(1), build(2), build(1, kind="worker")]
    assert prunable(builds, set()) == ["ami-link-1", "ami-link-2"]


def test_what_a_version_is_made_of_stays_however_old() -> None:
    assert prunable([build(1), build(2), build(3)], {"ami-link-1"}) == ["ami-link-2"]


def test_one_that_failed_is_never_the_newest_that_is_kept() -> None:
    assert prunable([build(1), build(2, state="failed")], set()) == ["ami-link-2"]


def test_one_that_is_being_made_is_left_alone() -> None:
    assert prunable([build(1, state="pending"), build(2)], set()) == []


@given(
    days=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["link", "worker"])), unique=True),
    used=st.sets(st.integers(0, 30)),
)
def test_after_a_pruning_there_is_nothing_more_to_prune(days: list[tuple[int, str]], used: set[int]) -> None:
    builds = [build(day, kind) for day, kind in days]
    in_use = {f"ami-{kind}-{day}" for day in used for kind in ("link", "worker")}
    gone = choose_prunable(builds, in_use)
    left = [each for each in builds if each not in gone]
    assert choose_prunable(left, in_use) == ()
    assert {each.kind for each in left} == {each.kind for each in builds}
    assert not in_use & {each.ami for each in gone}
