"""Doing work along a dependency graph: what does not depend on each other at the same time, the rest in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import CycleError, TopologicalSorter

WORKERS = 8
"""Resources of one stack that are worked on at the same time."""

Graph = Mapping[str, Set[str]]
"""Each node with the nodes that must be done before it."""


def find_cycle(graph: Graph) -> list[str]:
    """The nodes of one cycle in order of their names, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return sorted(set(error.args[1]))
    return []


def in_order(graph: Graph) -> list[str]:
    """All nodes of an acyclic graph, each after those it depends on."""
    return list(TopologicalSorter(graph).static_order())


def reverse(graph: Graph) -> dict[str, set[str]]:
    """The same edges the other way: each node with those that depend on it."""
    return {node: {other for other, before in graph.items() if node in before} for node in graph}


def walk(graph: Graph, work: Callable[[str], bool], is_cancelled: Callable[[], bool]) -> list[str]:
    """Call `work(node)` for every node, after those it depends on; independent nodes run in parallel.

    `work` answers whether it succeeded. What depends on a failed node is not tried; nor is anything new once
    `is_cancelled()`. Returns when nothing runs any more, with the failed nodes.
    """

    def attempt(node: str) -> bool | None:
        return None if is_cancelled() else work(node)

    sorter = TopologicalSorter(graph)
    sorter.prepare()
    failed: list[str] = []
    running: dict[Future[bool | None], str] = {}
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="cloudformation") as pool:
        while True:
            ready = sorter.get_ready()
            running |= {pool.submit(attempt, node): node for node in ready}
            if not running:
                return failed
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                node = running.pop(future)
                succeeded = future.result()
                if succeeded:
                    sorter.done(node)
                elif succeeded is False:
                    failed.append(node)
