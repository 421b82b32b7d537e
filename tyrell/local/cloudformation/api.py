"""CloudFormation's API as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tyrell.local.cloudformation.api_change_sets import ChangeSetCalls
from tyrell.local.cloudformation.api_reads import ReadCalls
from tyrell.local.cloudformation.api_stacks import StackCalls

if TYPE_CHECKING:
    from tyrell.local.cloudformation.engine import CloudFormation


class Api(StackCalls, ChangeSetCalls, ReadCalls):
    """Every operation the engine has, one method each, named as AWS names it in snake case."""


def api_of(engine: CloudFormation) -> type[Api]:
    """The API class that speaks for `engine`; moto makes one object of it per request."""
    return type("CloudFormationApi", (Api,), {"engine": engine})
