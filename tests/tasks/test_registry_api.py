"""A stack's registry by both of etcd's APIs, against a real etcd."""

from __future__ import annotations

import httpx
import pytest

from tasks.core_services import find_etcd
from tasks.errors import EtcdUnreachable, LockLost, UsageError
from tasks.etcd import Etcd, Record
from tasks.locks import take_lock
from tasks.model import Stack
from tasks.registry_api import RegistryApi, RegistryV2, RegistryV3, check_registry_api, find_registry
from tests.link.etcd_server import HOST
from tests.tasks.stack_etcd import STACK, stack_etcd

POINTER = "/zetta/version"


@pytest.fixture
def etcd(etcd_port: int) -> Etcd:
    return Etcd("lab", (HOST,), etcd_port)


@pytest.fixture(params=[RegistryV3, RegistryV2])
def registry(request: pytest.FixtureRequest, etcd: Etcd) -> RegistryApi:
    """The registry, with nothing in it."""
    empty: RegistryApi = request.param(etcd)
    empty.remove([record.key for record in empty.list("/")], None)
    return empty


def test_a_key_that_nobody_wrote_is_empty_at_revision_0(registry: RegistryApi) -> None:
    assert registry.get(POINTER) == Record(POINTER, "")


def test_what_is_written_is_read_back_byte_for_byte(registry: RegistryApi) -> None:
    value = '{"version":"käse & co=1+1%20"}'
    assert registry.write(registry.get(POINTER), value, None)
    assert registry.get(POINTER).value == value


def test_only_who_has_seen_the_last_write_may_write(registry: RegistryApi) -> None:
    never = registry.get(POINTER)
    assert registry.write(never, "1", None)
    assert not registry.write(never, "2", None)
    seen = registry.get(POINTER)
    assert registry.write(seen, "2", None)
    assert not registry.write(seen, "3", None)
    assert registry.get(POINTER).value == "2"


def test_the_same_value_written_again_is_a_write(registry: RegistryApi) -> None:
    assert registry.write(registry.get(POINTER), "1", None)
    first = registry.get(POINTER)
    assert registry.write(first, "1", None)
    assert registry.get(POINTER).revision > first.revision


def test_everything_below_a_prefix_is_listed_in_order_and_nothing_beside_it(registry: RegistryApi) -> None:
    for key in ("/router/zetta/b/hub", "/router/zetta/a/hub2", "/router/zetta/a/hub1", "/router/zettas", "/other"):
        assert registry.write(Record(key, ""), key, None)
    keys = [record.key for record in registry.list("/router/zetta/")]
    assert keys == ["/router/zetta/a/hub1", "/router/zetta/a/hub2", "/router/zetta/b/hub"]
    assert registry.list("/none/") == ()


def test_a_key_that_is_gone_already_may_be_removed(registry: RegistryApi) -> None:
    assert registry.write(Record("/a/1", ""), "x", None)
    assert registry.remove(["/a/1", "/a/2"], None)
    assert registry.list("/a/") == ()


def test_the_original_components_read_what_is_written_by_the_v2_api(etcd: Etcd) -> None:
    registry = RegistryV2(etcd)
    assert registry.write(registry.get(POINTER), '{"version":"v2"}', None)
    node = httpx.get(f"http://{etcd.endpoints[0]}/v2/keys{POINTER}").json()["node"]
    assert node["value"] == '{"version":"v2"}'
    assert "ttl" not in node
    assert RegistryV3(etcd).get(POINTER).value != '{"version":"v2"}'


def test_the_first_member_that_accepts_the_connection_answers(etcd: Etcd) -> None:
    port = int(etcd.endpoints[0].split(":")[1])
    registry = RegistryV2(Etcd("lab", ("127.31.0.99", HOST), port))
    assert registry.write(registry.get("/there"), "yes", None)


def test_without_an_answer_the_error_says_who_was_asked() -> None:
    with pytest.raises(EtcdUnreachable, match=r"lab.*127\.31\.0\.99:4001.*refused"):
        RegistryV2(Etcd("lab", ("127.31.0.99",), 4001)).get(POINTER)


STACK_WITH_V2 = """
Resources: {Topic: {Type: AWS::SQS::Queue}}
Outputs: {RegistryApi: {Value: v2}}
"""


@pytest.mark.cloud
def test_the_stack_says_its_api_for_good_and_a_lost_lock_ends_writing() -> None:
    with stack_etcd() as aws:
        check_registry_api(Stack(name=STACK, network="net", registry_api="v2"))  # before there is one
        aws.client("cloudformation").create_stack(StackName=STACK, TemplateBody=STACK_WITH_V2)
        registry = find_registry(STACK)
        assert isinstance(registry, RegistryV2)
        check_registry_api(Stack(name=STACK, network="net", registry_api="v2"))
        with pytest.raises(UsageError, match="is kept with etcd's v2 API"):
            check_registry_api(Stack(name=STACK, network="net"))
        check_registry_api(Stack(name="another", network="net"))

        lock = take_lock.fn(STACK, "target", "switch", None)
        assert lock
        assert registry.write(registry.get(POINTER), "1", lock)
        find_etcd(STACK).revoke(lock.lease)
        with pytest.raises(LockLost):
            registry.write(registry.get(POINTER), "2", lock)
        with pytest.raises(LockLost):
            registry.remove([POINTER], lock)
        assert registry.get(POINTER).value == "1"
