"""What the engine tells a proxy (its whole configuration) and what the proxy answers (its whole state), as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A part of a document that crosses the control socket; equal parts compare equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QueryPair(Document):
    """One pattern of a query string: `key=value`, or any key when `key` is None."""

    key: str | None = None
    value: str


class Condition(Document):
    """One condition of a rule; it holds when any of its values (or pairs) matches.

    `header` names the header of an `http-header` condition, `pairs` belong to `query-string`, `values` to the rest.
    """

    field: Literal["path-pattern", "host-header", "http-header", "http-request-method", "query-string", "source-ip"]
    values: tuple[str, ...] = ()
    header: str = ""
    pairs: tuple[QueryPair, ...] = ()


class Forward(Document):
    """Send requests to target groups, by ARN, in the proportion of their weights (0 to 999)."""

    type: Literal["forward"] = "forward"
    weights: dict[str, int]


class FixedResponse(Document):
    """Answer without asking a target."""

    type: Literal["fixed-response"] = "fixed-response"
    status: int
    content_type: str = "text/plain"
    body: str = ""


class Redirect(Document):
    """Send the client elsewhere; `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}` are the request's own."""

    type: Literal["redirect"] = "redirect"
    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


Action = Annotated[Forward | FixedResponse | Redirect, Field(discriminator="type")]


class Rule(Document):
    """What to do with the requests for which all conditions hold; the default rule has no condition."""

    arn: str
    conditions: tuple[Condition, ...] = ()
    action: Action


class Listener(Document):
    """One port and its rules in the order they are tried; the default rule is the last."""

    port: int
    rules: tuple[Rule, ...]


class HealthCheck(Document):
    """How targets of a group are checked. Times in seconds; `port` None is the port of the target itself."""

    path: str
    port: int | None
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    codes: str


class Target(Document):
    """Where a target listens, and whether it is being deregistered."""

    address: str
    port: int
    draining: bool = False


class TargetGroup(Document):
    """A target group that a rule names. `targets` by target id, `deregistration_delay` in seconds."""

    name: str
    algorithm: Literal["round_robin", "least_outstanding_requests"] = "round_robin"
    deregistration_delay: float
    health_check: HealthCheck
    targets: dict[str, Target]


class Balancer(Document):
    """The whole configuration of one load balancer. `target_groups` by ARN, `idle_timeout` in seconds."""

    name: str
    address: str
    idle_timeout: float = 60
    access_log: bool = False
    listeners: tuple[Listener, ...] = ()
    target_groups: dict[str, TargetGroup] = {}


class TargetState(Document):
    """What the proxy saw of a target, in the words of DescribeTargetHealth; `drained` is a draining target at rest."""

    state: Literal["initial", "healthy", "unhealthy", "draining", "drained"]
    reason: str | None = None
    description: str | None = None
    in_flight: int = 0


class GroupState(Document):
    """Targets of a target group by id."""

    targets: dict[str, TargetState]


class BalancerState(Document):
    """The state of a proxy: what it could not listen on, by port with the reason, and its target groups by ARN."""

    failed_listeners: dict[int, str]
    target_groups: dict[str, GroupState]


class SampleSet(Document):
    """What was measured within one second (Unix time) for one metric: how often each value was seen.

    `target_group` is an ARN; None when the metric is the balancer's own.
    """

    second: int
    metric: str
    target_group: str | None
    counts: dict[float, int]


class Samples(Document):
    """All that a proxy measured since it was asked before."""

    sets: tuple[SampleSet, ...]
