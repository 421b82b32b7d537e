"""`tyrell run`: a deployment's run, for CI, which has the Prefect server's address and nothing of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tyrell.environment import Cloud
from tyrell.options import CloudOption, enter_prefect
from tyrell.run import FAILED, notes, sentences

if TYPE_CHECKING:
    from datetime import timedelta

    from prefect.client.schemas.objects import State

    from tyrell.deployment_runs import Followed

# See versions_cli.py.
# ruff: noqa: PLC0415

SIX_HOURS = 6 * 3600


def add_to(app: typer.Typer) -> None:
    """Make the command part of `tyrell`."""
    app.command()(run)


def run(
    deployment: Annotated[str, typer.Argument(help="FLOW/NAME, as in the Prefect UI.")],
    values: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="The run's parameters.")] = None,
    commit: Annotated[
        str, typer.Option(help="What is released: jobs with the same commit and parameters are one run.")
    ] = "",
    attempt: Annotated[int, typer.Option(min=1, help="Another number is another run of the same commit.")] = 1,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which the run is cancelled.")] = SIX_HOURS,
    cloud: CloudOption = Cloud.auto,
) -> None:
    """Run a deployment on its worker and follow it: exit code 0 completed, 1 not, 2 it could not be asked for.

    Ctrl-C and SIGTERM cancel the run, unless it was another's with the same commit.
    """
    with sentences():
        enter_prefect(cloud)
        from datetime import timedelta

        from prefect.client.orchestration import get_client

        from tyrell.deployment_runs import begin, find_deployment
        from tyrell.deployment_values import parse_values

        with get_client(sync_client=True) as client:
            found = find_deployment(client, deployment)
            parameters = parse_values(values or [], found.parameter_openapi_schema or {})
            followed = begin(client, found, parameters, commit, attempt)
            _say(f"{deployment}: {followed.url}")
            if not followed.ours:
                _say(f"it is the run that commit {commit} has already; --attempt {attempt + 1} would be another")
            _follow(followed, timedelta(seconds=timeout))


def _follow(followed: Followed, timeout: timedelta) -> None:
    """Return when the run completed. Raises typer.Exit when it ended in any other way."""
    from tasks.errors import Expired, TyrellError

    try:
        state = followed.follow(timeout)
    except (KeyboardInterrupt, Expired) as error:
        why = "told to stop" if isinstance(error, KeyboardInterrupt) else f"not ended within {timeout}"
        if not followed.ours:
            raise TyrellError(f"{why}; the run is another job's and goes on: {followed.url}") from None
        state = _cancel(followed, why)
    if not state.is_completed():
        _say(f"{state.type.lower()}: {state.message or 'nobody said why'}")
        raise typer.Exit(FAILED)


def _cancel(followed: Followed, why: str) -> State[Any]:
    """The state in which a run ended that nobody waits for any more."""
    import signal

    from tasks.errors import TyrellError

    # CI sends SIGINT and soon SIGTERM; only a person's second Ctrl-C means not to wait.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _say(f"{why}: cancelling the run")
    try:
        return followed.cancel()
    except KeyboardInterrupt:
        raise TyrellError(f"the run was told to stop and has not yet: {followed.url}") from None


def _say(sentence: str) -> None:
    notes.print(sentence, markup=False, highlight=False, soft_wrap=True)
