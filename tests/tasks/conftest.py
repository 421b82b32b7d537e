"""Two buckets in an S3 of the tests' own, and an etcd, for the tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.link.etcd_server import HOST, etcd_server
from tests.tasks.own_s3 import new_bucket, own_s3
from tests.waiting import free_port


@pytest.fixture(scope="module")
def s3_of_our_own() -> Iterator[None]:
    """This process is led to it."""
    with own_s3():
        yield


@pytest.fixture
def old(s3_of_our_own: None) -> str:
    """A bucket with nothing in it."""
    return new_bucket()


@pytest.fixture
def new(s3_of_our_own: None) -> str:
    """Another one."""
    return new_bucket()


@pytest.fixture(scope="module")
def etcd_port() -> Iterator[int]:
    """The client port of an etcd at `HOST`."""
    port = free_port(HOST)
    with etcd_server(port):
        yield port
