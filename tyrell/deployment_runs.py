"""Runs of deployments, started, followed and cancelled through the Prefect API by one who is not their worker."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.utilities.urls import url_for

from tasks.clients import is_transient
from tasks.errors import NotFound, TyrellError, UsageError
from tasks.model import Patience
from tasks.waits import NotYet, wait_until
from tyrell.commit_checkout import COMMIT
from tyrell.run import notes
from tyrell.run_log import RunLog

UNCLAIMED_SECONDS = 30
"""After which it is said that no worker takes the run."""
SILENT_SECONDS = 600
"""How long the server may be gone before it is given up."""
EVERY = timedelta(seconds=0.5)
CANCELLING = Patience(timeout=timedelta(minutes=5), every=EVERY)


def find_deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    """The deployment `FLOW/NAME`. Raises NotFound, which names those there are."""
    try:
        return client.read_deployment_by_name(name)
    except (ObjectNotFound, ValueError):
        flows = {flow.id: flow.name for flow in client.read_flows()}
        names = sorted(f"{flows.get(each.flow_id)}/{each.name}" for each in client.read_deployments())
        raise NotFound(f"deployment {name!r}", f"there are {', '.join(names) or 'none'}") from None


@dataclass
class Followed:
    """A run of a deployment, `ours` when it was made for us and not for an earlier one with the same key."""

    client: SyncPrefectClient
    deployment: DeploymentResponse
    run: FlowRun
    ours: bool
    _log: RunLog = field(init=False)
    _state: str = ""
    _heard: float = field(default_factory=time.monotonic)
    _claimed: bool = False

    def __post_init__(self) -> None:
        self._log = RunLog(self.client, self.run.id)

    @property
    def url(self) -> str:
        """Where people see it."""
        return url_for("flow-run", self.run.id) or str(self.run.id)

    def follow(self, timeout: timedelta) -> State[Any]:
        """Print its log and its states until it has ended, and return its last state.

        Raises Expired after `timeout`, TyrellError when the server has been gone for SILENT_SECONDS.
        """
        begun = time.monotonic()

        def look() -> State[Any] | NotYet:
            seen = self._look()
            if not isinstance(seen, NotYet) and not seen.is_final():
                self._say_unclaimed(seen, time.monotonic() - begun)
                return NotYet(f"it is {seen.name}")
            return seen

        last = wait_until(f"{self.url} to end", look, Patience(timeout=timeout, every=EVERY))
        self._log.show_rest()
        return last

    def _look(self) -> State[Any] | NotYet:
        try:
            state = self.client.read_flow_run(self.run.id).state
            self._log.show()
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            return self._silence(error)
        self._heard = time.monotonic()
        if state is None:
            return NotYet("it has no state yet")
        if state.name and state.name != self._state:
            self._state = state.name
            _say(state.name.lower())
        return state

    def _silence(self, error: Exception) -> NotYet:
        if not (is_transient(error) or (isinstance(error, PrefectHTTPStatusError) and error.response.is_server_error)):
            raise error
        silent = time.monotonic() - self._heard
        if silent > SILENT_SECONDS:
            raise TyrellError(
                f"the Prefect server has been gone for {silent:.0f} s ({error}); the run may go on: {self.url}"
            ) from None
        if self._state != "gone":
            self._state = "gone"
            _say(f"the Prefect server does not answer, trying on: {error}")
        return NotYet(f"the Prefect server does not answer: {error}")

    def _say_unclaimed(self, state: State[Any], seconds: float) -> None:
        waiting = state.type in {StateType.SCHEDULED, StateType.PENDING}
        if self._claimed or not waiting or seconds < UNCLAIMED_SECONDS:
            return
        self._claimed = True  # said once
        pool = self.deployment.work_pool_name or "its work pool"
        _say(
            f"no worker has picked it up for {seconds:.0f} s ({state.name}); start one with"
            f" `prefect worker start --pool {pool}`, or see in the Prefect UI whether {pool} is paused or full"
        )

    def cancel(self) -> State[Any]:
        """Ask for the end of the run, and wait until it has ended. Raises Expired after five minutes."""
        self.client.set_flow_run_state(self.run.id, State(type=StateType.CANCELLING))
        return self.follow(CANCELLING.timeout)


def begin(
    client: SyncPrefectClient, deployment: DeploymentResponse, parameters: dict[str, Any], commit: str, attempt: int
) -> Followed:
    """A run of the deployment; with a `commit`, the one that the same parameters, commit and attempt have already.

    Raises UsageError with the server's own sentence for parameters that do not fit.
    """
    facts = [deployment.name, str(deployment.id), parameters, commit, attempt]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest() if commit else None
    name = f"{deployment.name}-{uuid4().hex}"  # its flow names it when it begins; until then this tells whose it is
    try:
        run = client.create_flow_run_from_deployment(
            deployment.id,
            parameters=parameters,
            name=name,
            idempotency_key=key,
            tags=[f"commit:{commit}"] if commit else [],
            job_variables={"env": {COMMIT: commit}} if commit else {},
        )
    except PrefectHTTPStatusError as error:
        if error.response.is_server_error:
            raise
        raise UsageError(str(error.response.json().get("detail", error))) from None
    return Followed(client, deployment, run, ours=run.name == name)


def _say(sentence: str) -> None:
    notes.print(sentence, markup=False, highlight=False, soft_wrap=True)
