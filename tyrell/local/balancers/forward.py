"""Passing HTTP requests to targets and their answers back, as streams, over kept-alive connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tyrell.local.balancers.answers import Refused
from tyrell.local.balancers.exchange import Exchange
from tyrell.local.balancers.pool import Target, own_end

CONNECT_TIMEOUT = 10
"""Seconds; a fixed one on AWS too: see "HTTP 504" in the troubleshooting guide of Application Load Balancers."""

_KEEP_ALIVE = 4
"""Seconds an idle connection to a target is kept: less than the 5 s after which uvicorn and Node.js close theirs, so
that a request is seldom written to a connection that its target is just closing."""

_ATTEMPTS = 3

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, section 9.2.2

_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Unanswered(Exception):
    """The target went away before a byte of its answer; the same request may be put to another one."""


def open_session(source: str | None) -> aiohttp.ClientSession:
    """The connections of one proxy to all its targets, from its own address; one per running event loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_KEEP_ALIVE, use_dns_cache=False, local_addr=own_end(source)
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_AUTOMATIC,
        max_line_size=65536,
        max_field_size=65536,
    )


async def forward(session: aiohttp.ClientSession, exchange: Exchange, idle_timeout: float) -> web.StreamResponse:
    """Have one target answer a request, and stream its answer to the client.

    A request that can be repeated (idempotent, no body) goes to another target when its target dies before it
    answered; a balancer of AWS would answer 502 there.
    Raises Refused when there is no answer to pass on.
    """
    request = exchange.request
    headers = onward_headers(request, exchange.port)
    if request.headers.get("Expect", "").lower() == "100-continue":
        headers.popall("Expect")
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await ask_one(exchange, lambda target: _ask(session, exchange, target, headers, idle_timeout))


async def ask_one(exchange: Exchange, ask: Callable[[Target], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Have one target of the group answer; one that cannot be connected to, or died, is passed over for another one.

    Raises Refused when there is no target (503) or none of those tried answers (502).
    """
    refusal = Refused(503, "the target group has no registered target")
    while len(exchange.tried) < _ATTEMPTS and (target := exchange.group.choose(but=exchange.tried)):
        exchange.tried.append(target)
        try:
            return await ask(target)
        except OSError as error:  # aiohttp's own errors of connecting are some, too
            exchange.connection_errors += 1
            refusal = Refused(502, f"cannot connect to {target.address}:{target.port}: {error.strerror or error}")
        except Unanswered as error:
            refusal = Refused(502, f"{target.address}:{target.port} died before it answered: {error}")
    raise refusal


def onward_headers(request: web.BaseRequest, port: int) -> CIMultiDict[str]:
    """The headers for the target: the client's own and X-Forwarded-For, -Proto and -Port.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    headers = end_to_end(request.headers)
    seen = headers.popall("X-Forwarded-For", [])
    headers["X-Forwarded-For"] = ", ".join([*seen, request.remote or ""])
    headers["X-Forwarded-Proto"] = "http"
    headers["X-Forwarded-Port"] = str(port)
    return headers


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Headers without those that concern one connection only (RFC 9110, section 7.6.1)."""
    named = {name.strip().lower() for value in headers.getall("Connection", ()) for name in value.split(",")}
    dropped = _HOP_BY_HOP | named
    return CIMultiDict([(name, value) for name, value in headers.items() if name.lower() not in dropped])


def target_url(target: Target, request: web.BaseRequest) -> URL:
    """Where to ask `target`: path and query exactly as the client sent them."""
    return URL(f"http://{target.address}:{target.port}{request.rel_url.raw_path_qs}", encoded=True)


async def _ask(
    session: aiohttp.ClientSession,
    exchange: Exchange,
    target: Target,
    headers: CIMultiDict[str],
    idle_timeout: float,
) -> web.StreamResponse:
    request, work, now = exchange.request, asyncio.current_task(), asyncio.get_running_loop().time
    assert work is not None  # noqa: S101  a coroutine always runs in a task
    with target.carrying(work.cancel):
        asked = now()
        try:
            async with session.request(
                request.method,
                target_url(target, request),
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=idle_timeout),
            ) as answer:
                exchange.answered(answer.status, now() - asked)
                return await _pass_back(request, answer)
        except aiohttp.ClientConnectorError:
            raise
        except TimeoutError as error:
            raise Refused(504, f"{target.address}:{target.port} did not answer in time: {error}") from error
        except aiohttp.ClientConnectionError as error:  # reset, or closed without a word
            if request.method in _IDEMPOTENT and not request.body_exists:
                raise Unanswered(repr(error)) from error
            raise Refused(502, f"{target.address}:{target.port} closed the connection: {error!r}") from error
        except aiohttp.ClientError as error:
            raise Refused(502, f"{target.address}:{target.port} gave no valid answer: {error!r}") from error


async def _pass_back(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers))
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, TimeoutError):
        # The status is sent: a connection cut in the middle of the body is the only way left to tell the client.
        if request.transport is not None:
            request.transport.abort()
    return response
