"""The members of an etcd cluster: which of them to ask, and what to do when one does not answer."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import aiohttp

Json = dict[str, Any]
FindMembers = Callable[[], Awaitable[Sequence[str]]]

CONNECT_TIMEOUT = 1.0
LEARN_EVERY = 10.0
FIND_EVERY = 30.0
FIND_TIMEOUT = 10.0
MEMBER_LIST = "/v3/cluster/member/list"
LONGEST_LINE = 2**22  # bytes; one watch response may carry many events
FAILURES = (aiohttp.ClientError, TimeoutError, ValueError)


logger = logging.getLogger(__name__)


class EtcdUnavailable(Exception):
    """No member of the cluster gave an answer in time."""


class EtcdRefused(Exception):
    """A member understood the request and said no; asking another one would not help."""


class Members:
    """Posts requests to the first member that answers, and keeps its list of members up to date.

    The list starts with `endpoints` (URLs such as `http://10.0.0.1:4001`). After a failure and every ten seconds it is
    learnt anew from the cluster, so it stays right when all the members it started with have been replaced. When none
    of them answers, `find_members` is asked for URLs, every 30 seconds at most.
    """

    def __init__(self, endpoints: Sequence[str], timeout: float, find_members: FindMembers | None = None) -> None:
        self._seeds = list(endpoints)
        self._endpoints = list(endpoints)
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        self._learn_at = 0.0
        self._find_members = find_members
        self._find_at = 0.0
        self._http: aiohttp.ClientSession | None = None

    @property
    def endpoints(self) -> list[str]:
        """The members' URLs, the one that answered last first."""
        return list(self._endpoints)

    async def post(self, path: str, body: Json) -> Json:
        """Return the first answer any member gives; raises `EtcdUnavailable` when none does, or `EtcdRefused`."""
        failures = []
        async for endpoint in self._candidates():
            try:
                answer = await self._ask(endpoint, path, body)
            except FAILURES as error:
                failures.append(f"{endpoint}: {_reason(error)}")
                self._learn_at = 0.0
                continue
            await self._answered(endpoint)
            return answer
        raise EtcdUnavailable(f"etcd does not answer ({'; '.join(failures)})")

    async def stream(self, path: str, requests: Sequence[Json], quiet: float) -> AsyncIterator[Json]:
        """Yield the messages of a streaming call until it breaks or says nothing for `quiet` seconds.

        Only the first member is asked: whoever wants the stream again posts a request first, which finds a live one.
        """
        endpoint = self._endpoints[0]
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=quiet)
        lines = "\n".join(json.dumps(request) for request in requests)
        try:
            async with self._session().post(endpoint + path, data=lines, timeout=timeout) as response:
                async for line in response.content:
                    yield json.loads(line)
        except FAILURES:
            return

    async def learn(self) -> list[str]:
        """Return the client URLs of all members that have started, as a majority of them knows it."""
        urls = _client_urls(await self.post(MEMBER_LIST, {"linearizable": True}))
        self._know(urls)
        return urls

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def _candidates(self) -> AsyncIterator[str]:
        known = self.endpoints
        for endpoint in known:
            yield endpoint
        for endpoint in await self._found_elsewhere():
            if endpoint not in known:
                yield endpoint

    async def _found_elsewhere(self) -> Sequence[str]:
        if self._find_members is None or time.monotonic() < self._find_at:
            return []
        self._find_at = time.monotonic() + FIND_EVERY
        try:
            # Not by `wait_for`: before Python 3.12 it forgets a cancellation that comes just as what it waits for ends.
            async with asyncio.timeout(FIND_TIMEOUT):
                return await self._find_members()
        except Exception as error:  # whoever looks elsewhere has errors of their own
            logger.warning("no other etcd members found: %s", error)
            return []

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(read_bufsize=LONGEST_LINE)
        return self._http

    async def _ask(self, endpoint: str, path: str, body: Json) -> Json:
        async with self._session().post(endpoint + path, data=json.dumps(body), timeout=self._timeout) as response:
            text = await response.text()
            if 400 <= response.status < 500:
                raise EtcdRefused(_message(text))
            response.raise_for_status()
            answer: Json = json.loads(text)
            return answer

    async def _answered(self, endpoint: str) -> None:
        self._endpoints = list(dict.fromkeys([endpoint, *self._endpoints]))
        if time.monotonic() < self._learn_at:
            return
        self._learn_at = time.monotonic() + LEARN_EVERY
        try:
            answer = await self._ask(endpoint, MEMBER_LIST, {})
        except (*FAILURES, EtcdRefused):
            return
        self._know(_client_urls(answer))

    def _know(self, urls: Sequence[str]) -> None:
        self._endpoints = list(dict.fromkeys([self._endpoints[0], *urls, *self._seeds]))


def _client_urls(answer: Json) -> list[str]:
    """A member that has not started yet has no client URL."""
    return [url.rstrip("/") for member in answer["members"] for url in member.get("clientURLs", [])]


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
