"""Walking a dependency graph: the order, the parallelism and what happens after a failure."""

from __future__ import annotations

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from tyrell.local.cloudformation.graph import find_cycle, in_order, reverse, walk

graphs = (
    st.integers(1, 12)
    .flatmap(
        lambda size: st.tuples(
            *(st.sets(st.integers(0, number - 1)) if number else st.just(set()) for number in range(size))
        )
    )
    .map(lambda edges: {str(node): {str(other) for other in before} for node, before in enumerate(edges)})
)
"""Acyclic graphs: each node depends only on smaller ones."""


def never() -> bool:
    return False


@settings(max_examples=40, deadline=None)
@given(graphs)
def test_every_node_runs_once_after_all_it_depends_on(graph: dict[str, set[str]]) -> None:
    done: list[str] = []

    def work(node: str) -> bool:
        assert graph[node] <= set(done)
        done.append(node)
        return True

    assert walk(graph, work, never) == []
    assert sorted(done) == sorted(graph)
    assert all(set(in_order(graph)[: in_order(graph).index(node)]) >= graph[node] for node in graph)


@settings(max_examples=40, deadline=None)
@given(graphs, st.data())
def test_what_depends_on_a_failed_node_is_not_tried(graph: dict[str, set[str]], data: st.DataObject) -> None:
    broken = data.draw(st.sampled_from(sorted(graph)))
    tried: list[str] = []

    def work(node: str) -> bool:
        tried.append(node)
        return node != broken

    assert walk(graph, work, never) == [broken]
    untried = graph.keys() - set(tried)
    assert all(graph[node] & ({broken} | untried) for node in untried)


def test_independent_nodes_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=5)

    def work(_: str) -> bool:
        meeting.wait()
        return True

    assert walk({"a": set(), "b": set(), "c": set()}, work, never) == []


def test_nothing_new_begins_once_cancelled() -> None:
    done: list[str] = []

    def work(node: str) -> bool:
        done.append(node)
        return True

    assert walk({"a": set(), "b": {"a"}, "c": {"b"}}, work, lambda: done == ["a"]) == []
    assert done == ["a"]


def test_a_cycle_is_found_and_a_graph_without_has_none() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert find_cycle({"a": {"b"}, "b": set()}) == []


def test_reversing_turns_every_edge() -> None:
    assert reverse({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": set(), "b": {"a"}, "c": {"a", "b"}}
