"""Whether a request meets the conditions of a listener rule; pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qsl

from multidict import CIMultiDict, CIMultiDictProxy

from tyrell.local.balancers.config import Condition, QueryPair


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at: `path` and `query` as sent, `host` with or without a port, `source` the peer's address."""

    method: str
    path: str
    query: str
    host: str
    headers: CIMultiDict[str] | CIMultiDictProxy[str]
    source: str


Test = Callable[[Facts], bool]


def compile_condition(condition: Condition) -> Test:
    """A function that tells whether a request meets `condition`."""
    return _COMPILERS[condition.field](condition)


def _path(condition: Condition) -> Test:
    pattern = _wildcards(condition.values)
    return lambda facts: pattern.fullmatch(facts.path) is not None


def _host(condition: Condition) -> Test:
    pattern = _wildcards(condition.values, ignore_case=True)
    return lambda facts: pattern.fullmatch(facts.host.partition(":")[0]) is not None


def _header(condition: Condition) -> Test:
    pattern = _wildcards(condition.values, ignore_case=True)
    return lambda facts: any(pattern.fullmatch(value) for value in facts.headers.getall(condition.header, []))


def _method(condition: Condition) -> Test:
    return lambda facts: facts.method in condition.values


def _query(condition: Condition) -> Test:
    tests = [_query_pair(pair) for pair in condition.pairs]

    def test(facts: Facts) -> bool:
        sent = parse_qsl(facts.query, keep_blank_values=True)
        return any(pair_test(key, value) for pair_test in tests for key, value in sent)

    return test


def _query_pair(pair: QueryPair) -> Callable[[str, str], bool]:
    key = _wildcards(("*" if pair.key is None else pair.key,), ignore_case=True)
    value = _wildcards((pair.value,), ignore_case=True)
    return lambda sent_key, sent_value: bool(key.fullmatch(sent_key) and value.fullmatch(sent_value))


def _source(condition: Condition) -> Test:
    networks = [ip_network(value, strict=False) for value in condition.values]
    return lambda facts: any(ip_address(facts.source) in network for network in networks)


_COMPILERS: dict[str, Callable[[Condition], Test]] = {
    "path-pattern": _path,
    "host-header": _host,
    "http-header": _header,
    "http-request-method": _method,
    "query-string": _query,
    "source-ip": _source,
}


def _wildcards(patterns: tuple[str, ...], ignore_case: bool = False) -> re.Pattern[str]:
    """AWS's wildcards as a regular expression: `*` is any text, `?` any one character, a backslash takes that away."""
    alternatives = "|".join(re.sub(r"\\[*?]|.", _wildcard, pattern, flags=re.DOTALL) for pattern in patterns)
    return re.compile(alternatives, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _wildcard(token: re.Match[str]) -> str:
    return {"*": ".*", "?": "."}.get(token[0]) or re.escape(token[0][-1])
