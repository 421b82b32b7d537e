"""The page of exit codes: what each says, and which errors end with it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docs.generate.markdown import code, page, table
from tasks import errors
from tasks.errors import Transient, TyrellError, UsageError
from tyrell.run import FAILED, USAGE

INTRODUCTION = f"""
# Exit codes

| code | meaning |
| --- | --- |
| 0 | done, or there was nothing to do |
| {FAILED} | failed, rolled back, refused by a person or stopped; for the `status` commands: something is not healthy |
| {USAGE} | the request itself is wrong; nothing was begun |

An error is one sentence on standard error, `tyrell: ...`. Standard output holds results only; with `--json`, one JSON
document. What to do about an error is in [operations](../operations.md).
"""


def exit_codes_page() -> str:
    """The codes, then every kind of error of our own with its code."""
    rows = [(code(each.__name__), _exit_code(each), _meaning(each)) for each in find_errors(TyrellError)]
    return page(INTRODUCTION, "## Errors", table(("error", "code", "meaning"), rows))


def find_errors(base: type[TyrellError]) -> Iterator[type[TyrellError]]:
    """The kinds of error that are raised, in the order of the tree."""
    for each in base.__subclasses__():
        if each.__module__ == errors.__name__:
            if each is not Transient:
                yield each
            yield from find_errors(each)


def _exit_code(error: type[TyrellError]) -> str:
    return str(USAGE if issubclass(error, UsageError) else FAILED)


def _meaning(error: type[TyrellError]) -> str:
    again = " Tried again by itself first." if issubclass(error, Transient) else ""
    return inspect.cleandoc(error.__doc__ or "").partition("\n\n")[0] + again
