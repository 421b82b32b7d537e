"""A copy is the object as it was: any key, any size, with everything that belongs to it; and it is compared."""

from __future__ import annotations

import pytest

from tasks.clients import s3
from tasks.merged import MIB, Fate
from tasks.merges import TAKEN
from tests.tasks.merging import left, merge
from tests.tasks.own_s3 import PART, Requests, contents, put, put_in_parts

pytestmark = pytest.mark.usefixtures("s3_of_our_own")


KEYS = (
    "plain",
    "with space",
    "a+b",
    "100%",
    "%2F",
    "new\nline",
    "tab\t",
    "/leading",
    "a//b",
    "folder/",
    "../up",
    "a/../b",
    "./here",
    "a?b=c&d#e",
    "ünïcødé/温度",
    "🌡",
    "quote\"'<&>",
    "back\\slash",
    "{curly}|~^`[]",
    "=;:@,$!*()",
    "x" * 1024,
)


def test_any_key_is_taken_along_as_it_is(old: str, new: str) -> None:
    objects = {key: key.encode() for key in KEYS}
    put(old, objects)
    merged = merge(old, new)
    assert left(merged) == {}
    assert contents(new) == objects
    assert contents(old) == {}


def test_any_key_is_taken_along_in_parts_too(old: str, new: str) -> None:
    keys = KEYS[:8]
    for key in keys:
        put_in_parts(old, key, [key.encode()])
    assert left(merge(old, new)) == {}
    assert contents(new) == {key: key.encode() for key in keys}


SETTINGS = {
    "ContentType": "application/json",
    "ContentEncoding": "gzip",
    "CacheControl": "no-store",
    "Metadata": {"device": "thermometer 3"},
    "Tagging": "tenant=acme&place=S%C3%BCd+1",
    "StorageClass": "STANDARD_IA",
}


@pytest.mark.parametrize("parts", [[b"small"], [b"a" * PART, b"b" * PART, b"c"]], ids=["at once", "in parts"])
def test_metadata_tags_and_storage_class_are_kept(old: str, new: str, parts: list[bytes]) -> None:
    if len(parts) == 1:
        put(old, {"reading": parts[0]}, **SETTINGS)
    else:
        put_in_parts(old, "reading", parts, **SETTINGS)
    before = s3().head_object(Bucket=old, Key="reading")
    merge(old, new)
    after = s3().head_object(Bucket=new, Key="reading")
    kept = ("ContentType", "ContentEncoding", "CacheControl", "Metadata", "StorageClass", "ETag", "ContentLength")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}  # type: ignore[literal-required]
    tags = s3().get_object_tagging(Bucket=new, Key="reading")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"tenant": "acme", "place": "Süd 1"}


def test_an_object_larger_than_a_part_is_copied_in_parts(old: str, new: str) -> None:
    objects = {"large": bytes(range(256)) * (12 * MIB // 256), "of exactly a part": b"x" * PART, "empty": b""}
    put(old, objects)
    put_in_parts(old, "one empty part", [b""])
    with Requests() as requests:
        assert left(merge(old, new)) == {}
    assert (requests.done.count("UploadPartCopy"), requests.done.count("CopyObject")) == (3, 3)
    assert contents(new) == objects | {"one empty part": b""}
    assert contents(old) == {}


def test_what_was_uploaded_in_parts_is_verified_without_reading_it(old: str, new: str) -> None:
    put_in_parts(old, "reading", [b"a" * (6 * MIB), b"b" * MIB])
    with Requests() as requests:
        assert merge(old, new).counts[Fate.COPIED] == 1
    assert "GetObject" not in requests.done
    assert requests.done.count("UploadPartCopy") == 2


def test_equal_checksums_of_the_same_kind_tell_without_reading(old: str, new: str) -> None:
    body = b"a" * PART + b"b"
    put_in_parts(old, "reading", [body[:PART], body[PART:]], ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    put(new, {"reading": body}, ChecksumAlgorithm="CRC32")
    with Requests() as requests:
        assert merge(old, new).counts[Fate.FOUND] == 1
    assert "GetObject" not in requests.done
    assert contents(old) == {}


def test_parts_of_unequal_sizes_are_read_and_found_to_be_the_same(old: str, new: str) -> None:
    parts = [b"a" * (6 * MIB), b"b" * PART, b"c" * (2 * MIB)]
    put_in_parts(old, "reading", parts)
    with Requests() as requests:
        assert merge(old, new).counts[Fate.COPIED] == 1
    assert requests.done.count("GetObject") == 2
    assert (contents(old), contents(new)) == ({}, {"reading": b"".join(parts)})


@pytest.mark.parametrize("difference", [b"", b"!"], ids=["same content", "other content"])
def test_contents_without_a_common_checksum_are_read(old: str, new: str, difference: bytes) -> None:
    body = b"a" * PART + b"b"
    put_in_parts(old, "reading", [body[:PART], body[PART:]])
    put(new, {"reading": body[:-1] + (difference or b"b")})
    with Requests() as requests:
        merged = merge(old, new)
    assert requests.done.count("GetObject") == 2
    assert left(merged) == ({"reading": TAKEN} if difference else {})
    assert contents(old) == ({"reading": body} if difference else {})
