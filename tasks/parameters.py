"""What flows take, as their forms show it: plain names that are refused before a run exists, not only inside it.

The names of roles are those of the folders in `roles/`, so a new folder is in every form that is registered after it.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import Field

from tasks.model import NETWORK, STACK, VERSION, RoleName
from tasks.roles import ImageKind, all_role_names, load_role, role_names
from tasks.spelling import Duration


def _one_of(names: tuple[str, ...]) -> Any:
    """A list to choose from, for forms only: whoever calls the flow itself is told by `load_role` what there is."""
    return Field(json_schema_extra={"enum": list(names)})


LinkRole = Annotated[RoleName, _one_of(role_names())]
"""A role that a Link stack may consist of."""

WorkerRole = Annotated[
    RoleName, _one_of(tuple(name for name in role_names() if load_role(name).traffic.kind == "queue"))
]
"""A role whose machines work off a queue."""

AnyRole = Annotated[RoleName, _one_of(all_role_names())]
"""Any role there is."""

Kind = Annotated[str, _one_of(get_args(ImageKind))]
"""A kind of machine image."""

OptionalVersion = Annotated[str, VERSION.or_nothing]
OptionalStack = Annotated[str, STACK.or_nothing]
OptionalNetwork = Annotated[str, NETWORK.or_nothing]

Ami = Annotated[str, Field(json_schema_extra={"pattern": "^(ami-[0-9a-f]+)?$", "examples": ["ami-0123456789abcdef0"]})]
"""A machine image, or nothing."""

Percent = Annotated[int, Field(ge=0, le=100)]

Wait = Duration | None
