"""All stacks and change sets of one embedded cloud, kept for the life of the process."""

from __future__ import annotations

import threading

from tyrell.local.cloudformation.errors import ChangeSetNotFoundError, ValidationError
from tyrell.local.cloudformation.records import ChangeSet, Output, Stack


class Store:
    """The records. Whoever looks at a status and then changes it holds `lock` meanwhile."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._stacks: dict[str, Stack] = {}
        self._change_sets: dict[str, ChangeSet] = {}

    def add(self, stack: Stack) -> None:
        """Keep a new stack."""
        self._stacks[stack.id] = stack

    def stacks(self) -> list[Stack]:
        """All stacks, the newest first; deleted ones are among them."""
        return list(self._stacks.values())[::-1]

    def find(self, name_or_id: str) -> Stack:
        """The stack with this id, or the existing one of this name; else ValidationError."""
        for stack in self.stacks():
            if stack.id == name_or_id or (stack.name == name_or_id and stack.exists):
                return stack
        raise ValidationError(f"Stack with id {name_or_id} does not exist")

    def named(self, name: str) -> Stack | None:
        """The existing stack of this name, if there is one."""
        return next((stack for stack in self.stacks() if stack.name == name and stack.exists), None)

    def exports(self) -> dict[str, tuple[Stack, Output]]:
        """Every export by name, with the stack it belongs to."""
        found = [(stack, output) for stack in self.stacks() if stack.exists for output in stack.outputs]
        return {output.export: (stack, output) for stack, output in found if output.export}

    def importers(self, export: str) -> list[str]:
        """Names of the stacks that use an export."""
        return [stack.name for stack in self.stacks() if stack.exists and export in stack.imports]

    def add_change_set(self, change_set: ChangeSet) -> None:
        """Keep a new change set."""
        self._change_sets[change_set.id] = change_set

    def change_sets(self, stack: Stack) -> list[ChangeSet]:
        """The change sets of a stack."""
        return [change_set for change_set in list(self._change_sets.values()) if change_set.stack is stack]

    def find_change_set(self, name_or_id: str, stack_name: str | None) -> ChangeSet:
        """The change set with this id, or of this name in the given stack; else ChangeSetNotFoundError."""
        for change_set in list(self._change_sets.values()):
            stack = change_set.stack
            if change_set.id == name_or_id or (change_set.name == name_or_id and stack_name in (stack.name, stack.id)):
                return change_set
        raise ChangeSetNotFoundError(f"ChangeSet [{name_or_id}] does not exist")

    def drop_change_sets(self, *change_sets: ChangeSet) -> None:
        """Forget change sets."""
        for change_set in change_sets:
            self._change_sets.pop(change_set.id, None)
