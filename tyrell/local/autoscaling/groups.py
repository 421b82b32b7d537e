"""All groups of the cloud, and the lock under which they are read and changed."""

from __future__ import annotations

import threading

from tyrell.local.autoscaling.errors import ValidationError, group_not_found, instance_not_found
from tyrell.local.autoscaling.records import Group, Member


class Groups:
    """The groups by name. Hold `lock` for every read or change of a group; never hold it during I/O."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._groups: dict[str, Group] = {}

    def all(self) -> list[Group]:
        """Every group, by name."""
        with self.lock:
            return [self._groups[name] for name in sorted(self._groups)]

    def add(self, group: Group) -> None:
        """Take a new group in; its name is free."""
        self._groups[group.name] = group

    def remove(self, name: str) -> None:
        """Forget a group; fine when nobody knows it."""
        with self.lock:
            self._groups.pop(name, None)

    def has(self, name: str) -> bool:
        """Whether there is a group of that name, being deleted or not."""
        return name in self._groups

    def get(self, name: str) -> Group:
        """The group of that name; ValidationError when there is none."""
        if name not in self._groups:
            raise group_not_found(name)
        return self._groups[name]

    def to_change(self, name: str) -> Group:
        """The group of that name; ValidationError when there is none or when it is being deleted."""
        group = self.get(name)
        if group.deleting:
            raise ValidationError("The AutoScaling group may not be modified while it is pending delete")
        return group

    def holding(self, instance_id: str) -> tuple[Group, Member]:
        """The instance and its group; ValidationError when no group has that instance."""
        for group in self._groups.values():
            if instance_id in group.members:
                return group, group.members[instance_id]
        raise instance_not_found(instance_id)
