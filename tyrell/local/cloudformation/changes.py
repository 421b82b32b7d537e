"""What a revision would change in a stack, resource by resource: the content of a change set.

Source: AWS CloudFormation API Reference, "ResourceChange" and "ResourceTargetDefinition".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tyrell.local.cloudformation.errors import ResourceFailedError, ValidationError
from tyrell.local.cloudformation.graph import in_order
from tyrell.local.cloudformation.planning import Plan
from tyrell.local.cloudformation.records import RETAINED, Change, PropertyChange, Resource
from tyrell.local.cloudformation.references import references
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.template import ResourceDefinition


def find_changes(plan: Plan) -> list[Change]:
    """What the plan changes, in the order of dependencies, removals last; empty when nothing does.

    Raises ValidationError when a logical id would change its type.
    """
    living = plan.stack.living()
    _refuse_other_types(plan, living)
    found: dict[str, Change] = {}
    for name in in_order(plan.graph):
        definition, current = plan.definitions[name], living.get(name)
        if current is None:
            found[name] = Change("Add", name, definition.type)
        elif properties := _changed_properties(plan, definition, current, found):
            found[name] = _modification(current, properties)
    removed = [
        Change("Remove", name, resource.type, resource.physical_id, policy_action=_fate(resource.deletion_policy))
        for name, resource in living.items()
        if name not in plan.definitions
    ]
    return [*found.values(), *removed]


def _refuse_other_types(plan: Plan, living: Mapping[str, Resource]) -> None:
    others = [name for name, entry in plan.definitions.items() if name in living and living[name].type != entry.type]
    if others:
        raise ValidationError(
            "Update of resource type is not permitted. "
            f"The new template modifies resource type of the following resources: [{', '.join(others)}]"
        )


def _modification(current: Resource, properties: tuple[PropertyChange, ...]) -> Change:
    replacing = [change for change in properties if change.replaces]
    certain = any(not change.dynamic for change in replacing)
    replacement = "True" if certain else "Conditional" if replacing else "False"
    fate = f"ReplaceAnd{_fate(current.update_replace_policy)}" if certain else None
    return Change("Modify", current.logical_id, current.type, current.physical_id, replacement, fate, properties)


def _fate(policy: str) -> str:
    return "Retain" if policy in RETAINED else "Delete"


def _changed_properties(
    plan: Plan, definition: ResourceDefinition, current: Resource, earlier: Mapping[str, Change]
) -> tuple[PropertyChange, ...]:
    fixed = TYPES[definition.type].fixed
    dynamic = {name for name, value in definition.properties.items() if _depends_on_change(value, earlier)}
    known = {name: value for name, value in definition.properties.items() if name not in dynamic}
    try:
        # a dynamic property stands in with its present value, so that nothing required seems to lack
        present = {name: current.properties.get(name) for name in dynamic}
        wanted, _ = plan.complete(definition, plan.resolve(known) | present, current)
    except (ResourceFailedError, ValidationError):
        return tuple(PropertyChange(name, dynamic=True, replaces=name in fixed) for name in sorted(known))
    names = sorted(wanted.keys() | current.properties.keys())
    changed = [name for name in names if name in dynamic or _differs(wanted, current.properties, name)]
    return tuple(PropertyChange(name, name in dynamic, name in fixed) for name in changed)


def _differs(wanted: Mapping[str, Any], present: Mapping[str, Any], name: str) -> bool:
    return name not in wanted or name not in present or bool(wanted[name] != present[name])


def _depends_on_change(value: Any, earlier: Mapping[str, Change]) -> bool:
    """Whether `value` may come out differently: a new or replaced resource, or an attribute of a changed one."""
    for reference in references(value):
        change = earlier.get(reference.name)
        if change and (reference.attribute or change.action == "Add" or change.replacement in ("True", "Conditional")):
            return True
    return False
