"""Answering requests: the rules decide, then a target or the balancer itself answers, and it is counted and logged."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from tyrell.local.balancers.answers import Refused, error_page, fixed_response, redirect
from tyrell.local.balancers.conditions import Facts
from tyrell.local.balancers.config import Balancer, FixedResponse, Redirect
from tyrell.local.balancers.exchange import Exchange, count
from tyrell.local.balancers.forward import forward
from tyrell.local.balancers.metrics.samples import Recorder
from tyrell.local.balancers.pool import Group
from tyrell.local.balancers.routing import Route, Routes, redirect_location
from tyrell.local.balancers.websockets import tunnel, wants_websocket

log = logging.getLogger(__name__)


class Service:
    """What all listeners of a balancer share: rules, target groups, the connections to targets, the measurements."""

    def __init__(self, session: aiohttp.ClientSession, source: str | None) -> None:
        self._session = session
        self._source = source
        self._routes: dict[int, Routes] = {}
        self._idle_timeout = 60.0
        self._access_log = False
        self.groups: dict[str, Group] = {}
        self.recorder = Recorder()

    def apply(self, balancer: Balancer) -> None:
        """Follow another configuration from the next request on."""
        self._routes = {
            listener.port: Routes(listener, self._routes.get(listener.port)) for listener in balancer.listeners
        }
        groups = {arn: self.groups.get(arn) or Group(arn, told) for arn, told in balancer.target_groups.items()}
        for arn, told in balancer.target_groups.items():
            groups[arn].apply(told)
        self.groups = groups
        self._idle_timeout = balancer.idle_timeout
        self._access_log = balancer.access_log

    async def answer(self, request: web.BaseRequest, port: int) -> web.StreamResponse:
        """Answer one request that came in on `port`."""
        started = asyncio.get_running_loop().time()
        exchange, reason = None, ""
        try:
            route = self._find_route(request, port)
            group = self._choose_group(route)
            exchange = Exchange(request, port, group) if group else None
            response = await self._act(route, exchange, request, port)
        except Refused as refused:
            response, reason = error_page(refused.status), refused.reason
        except asyncio.CancelledError:
            count(self.recorder, exchange, _status_of_cut(request))
            raise
        count(self.recorder, exchange, response.status)
        if self._access_log or reason:
            seconds = asyncio.get_running_loop().time() - started
            _log_request(request, response.status, seconds, exchange, reason)
        return response

    def _find_route(self, request: web.BaseRequest, port: int) -> Route:
        routes = self._routes.get(port)
        if routes is None:
            raise Refused(503, "the listener was deleted")
        return routes.find(_facts(request))

    def _choose_group(self, route: Route) -> Group | None:
        arn = route.spread.choose()
        return self.groups.get(arn) if arn else None

    async def _act(
        self, route: Route, exchange: Exchange | None, request: web.BaseRequest, port: int
    ) -> web.StreamResponse:
        match route.action:
            case FixedResponse(status=status, content_type=content_type, body=body):
                return fixed_response(status, content_type, body)
            case Redirect() as action:
                return redirect(action.status, redirect_location(action, _facts(request), port))
            case _ if exchange is None:
                raise Refused(503, "no target group of the rule has a weight above 0")
        if wants_websocket(request):
            return await tunnel(exchange, self._source, self._idle_timeout)
        return await forward(self._session, exchange, self._idle_timeout)


def _facts(request: web.BaseRequest) -> Facts:
    return Facts(
        method=request.method,
        path=request.rel_url.raw_path,
        query=request.rel_url.raw_query_string,
        host=request.host,
        headers=request.headers,
        source=request.remote or "",
    )


def _status_of_cut(request: web.BaseRequest) -> int:
    """What a request counts as that ends without an answer: the client left, or its target was done with draining.

    See "HTTP 460" and "HTTP 502" in
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
    """
    return 460 if request.transport is None else 502


def _log_request(request: web.BaseRequest, status: int, seconds: float, exchange: Exchange | None, reason: str) -> None:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "client": request.remote,
        "method": request.method,
        "path": request.rel_url.raw_path,
        "status": status,
        "seconds": round(seconds, 4),
        "target_group": exchange.group.told.name if exchange else None,
        "reason": reason or None,
    }
    log.info("%s", json.dumps(line))
