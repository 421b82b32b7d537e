"""S3 as it is on AWS where moto's is not.

Copies are made on their conditions only, keys may hold line breaks, and a bucket can be listed while it is emptied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.moto_server.utilities import RegexConverter
from moto.s3.exceptions import PreconditionFailed
from moto.s3.responses import S3Response
from moto.s3.utils import _VersionedKeyStore

COPIES = ("copy_object", "upload_part_copy")


def store_as_on_aws() -> None:
    """Mend moto before its server is started; again changes nothing."""
    for name in COPIES:
        copy = getattr(S3Response, name)
        if not hasattr(copy, "heeds"):
            setattr(S3Response, name, _heeding(copy))
    setattr(_VersionedKeyStore, "items", _items)  # noqa: B010  mypy knows no other way
    setattr(RegexConverter, "__init__", _match_lines)  # noqa: B010


def _heeding(copy: Callable[[S3Response], Any]) -> Callable[[S3Response], Any]:
    def copied(response: S3Response) -> Any:
        _check(response)
        return copy(response)

    copied.heeds = True  # type: ignore[attr-defined]
    return copied


def _items(keys: _VersionedKeyStore) -> Iterator[tuple[str, Any]]:
    """Every key with its current version; moto's own fails for a key that is deleted meanwhile."""
    for key, versions in dict(keys).items():
        if versions:
            yield key, versions[-1]


def _match_lines(converter: RegexConverter, url_map: Any, regex: str) -> None:
    """As moto's own, but a dot in the path of a request stands for a line break, too."""
    super(RegexConverter, converter).__init__(url_map)
    converter.regex = f"(?s:{regex})"


def _check(response: S3Response) -> None:
    """See https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html."""
    headers, backend = response.headers, response.backend
    expected = headers.get("x-amz-copy-source-if-match")
    bucket, key = unquote(urlsplit(headers["x-amz-copy-source"]).path).lstrip("/").split("/", 1)
    source = backend.get_object(bucket, key)
    if expected and source and expected.strip('"') != source.etag.strip('"'):
        raise PreconditionFailed("x-amz-copy-source-If-Match")
    if headers.get("If-None-Match") == "*" and backend.get_object(response.bucket_name, response.parse_key_name()):
        raise PreconditionFailed("If-None-Match")
