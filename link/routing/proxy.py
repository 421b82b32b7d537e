"""Passes HTTP requests on to a target, streaming both ways."""

import logging
from collections.abc import Sequence

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy

from link.shared.records import Target

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 30.0  # seconds without a byte of an answer
ATTEMPTS = 2

# https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
HOP_BY_HOP = {
    "connection",
    "expect",  # answered by us already
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
NOT_ADDED = (hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE)

logger = logging.getLogger(__name__)


def open_session() -> aiohttp.ClientSession:
    """Return the session to give to `forward` and to `relay`: bodies pass through as they are, cookies are not kept."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=NOT_ADDED,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
    )


async def forward(http: aiohttp.ClientSession, request: web.Request, targets: Sequence[Target]) -> web.StreamResponse:
    """Answer the request with what the first target says; 502 when none can be asked.

    The next target is tried once if nothing of an answer has come and repeating is safe: the connection was not made,
    or the request is a GET or HEAD.
    """
    for attempt, target in enumerate(targets[:ATTEMPTS], start=1):
        try:
            upstream = await _send(http, request, target)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.warning("%s: %s", target.url, reason_of(error), extra={"fields": {"attempt": attempt}})
            if not _repeatable(request, error):
                break
            continue
        async with upstream:
            return await _pass_back(request, upstream)
    return web.json_response({"error": f"target {target.url} gave no answer"}, status=502)


async def _send(http: aiohttp.ClientSession, request: web.Request, target: Target) -> aiohttp.ClientResponse:
    body = request.content.iter_any() if request.can_read_body else None
    return await http.request(
        request.method,
        target.url + request.raw_path,
        headers=request_headers(request),
        data=body,
        allow_redirects=False,
    )


def _repeatable(request: web.Request, error: Exception) -> bool:
    if isinstance(error, aiohttp.ClientConnectorError):
        return True
    return request.method in (hdrs.METH_GET, hdrs.METH_HEAD) and not request.can_read_body


async def _pass_back(request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
    """An answer that breaks off cuts the client's connection as well: a short body must not look like a whole one."""
    response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
    response.headers.extend(_end_to_end(upstream.headers))
    await response.prepare(request)
    try:
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
    except (aiohttp.ClientError, TimeoutError) as error:
        logger.warning("answer of %s broke off: %s", upstream.url, reason_of(error))
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def request_headers(request: web.Request) -> CIMultiDict[str]:
    """Return the headers to send on: those meant for the target, and where the request came from."""
    headers = _end_to_end(request.headers)
    if request.remote:
        headers.add("X-Forwarded-For", request.remote)
    return headers


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get(hdrs.CONNECTION, "").split(",")}
    dropped = HOP_BY_HOP | named
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def reason_of(error: Exception) -> str:
    """Return what the error says; some say nothing but their name."""
    return str(error) or type(error).__name__
