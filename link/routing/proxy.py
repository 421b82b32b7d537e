"""Passes HTTP requests on to a target, streaming both ways."""

import logging

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy

from link.shared.records import Target

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 30.0  # seconds without a byte of an answer

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
NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
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


class NoAnswer(Exception):
    """A target gave no answer. `refused`: nothing listens there; `repeatable`: asking another one does no harm."""

    def __init__(self, target: Target, error: Exception, repeatable: bool) -> None:
        super().__init__(f"target {target.url} gave no answer: {_reason(error)}")
        refused = isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError)
        self.refused = refused
        self.repeatable = repeatable or isinstance(error, NOT_CONNECTED)


async def forward(http: aiohttp.ClientSession, request: web.Request, target: Target) -> web.StreamResponse:
    """Answer the request with what the target says; raises `NoAnswer` as long as nothing of an answer has come."""
    try:
        upstream = await _send(http, request, target)
    except (aiohttp.ClientError, TimeoutError) as error:
        safe = request.method in (hdrs.METH_GET, hdrs.METH_HEAD) and not request.can_read_body
        raise NoAnswer(target, error, repeatable=safe) from error
    async with upstream:
        return await _pass_back(request, upstream)


async def _send(http: aiohttp.ClientSession, request: web.Request, target: Target) -> aiohttp.ClientResponse:
    body = request.content.iter_any() if request.can_read_body else None
    return await http.request(
        request.method,
        target.url + request.raw_path,
        headers=request_headers(request),
        data=body,
        allow_redirects=False,
    )


async def _pass_back(request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
    """An answer that breaks off cuts the client's connection as well: a short body must not look like a whole one."""
    response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
    response.headers.extend(_end_to_end(upstream.headers))
    await response.prepare(request)
    try:
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
    except (aiohttp.ClientError, TimeoutError) as error:
        logger.warning("answer of %s broke off: %s", upstream.url, _reason(error))
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


def _reason(error: Exception) -> str:
    """What the error says; some say nothing but their name."""
    return str(error) or type(error).__name__
