"""Machine images: the files of a machine as a tar.gz object in S3, registered as an AMI."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tyrell.local.aws import client
from tyrell.local.settings import Settings

BUCKET = "tyrell-amis"


@dataclass(frozen=True)
class Link:
    """A file of an image that is a symbolic link to `target`, an absolute path of the host."""

    target: Path


def register_image(settings: Settings, name: str, files: Mapping[str, bytes | Link], tags: Mapping[str, str]) -> str:
    """Make an AMI of `files` (paths relative to `/`) and return its id; the same image again is the same id.

    Files in a folder named `bin` are executable; the `#!` line of a script names a program of the host. The AMI is
    named `<name>-<digest of contents and tags>`, because AMI names are unique in an account; its ImageLocation says
    where its contents lie, as `bucket/key`:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html
    """
    contents = _tar(files)
    digest = hashlib.sha256(contents + repr(sorted(tags.items())).encode()).hexdigest()[:16]
    image_name = f"{name}-{digest}"
    ec2 = client(settings, "ec2")
    existing = ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [image_name]}])["Images"]
    if existing:
        return str(existing[0]["ImageId"])
    location = _store(settings, f"{image_name}.tar.gz", contents)
    specification = {"ResourceType": "image", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    image = ec2.register_image(
        Name=image_name,
        ImageLocation=location,
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
        TagSpecifications=[specification] if tags else [],
    )
    return str(image["ImageId"])


def unpacked_image(settings: Settings, location: str) -> Path:
    """The folder that holds the unpacked contents at `location` (`bucket/key`), fetched once per image.

    Raises botocore's ClientError when the object is gone.
    """
    folder = settings.home.absolute() / "images" / Path(location).name.removesuffix(".tar.gz")
    if folder.exists():
        return folder
    bucket, _, key = location.partition("/")
    body = client(settings, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        archive.extractall(unfinished, filter="tar")
    unfinished.chmod(0o755)
    try:
        unfinished.rename(folder)
    except OSError:  # a machine that boots at the same time was first
        shutil.rmtree(unfinished)
    return folder


def delete_contents(settings: Settings, location: str) -> None:
    """Delete the object at `location` (`bucket/key`) and the unpacked copy; nothing to do is fine."""
    bucket, _, key = location.partition("/")
    client(settings, "s3").delete_object(Bucket=bucket, Key=key)
    shutil.rmtree(settings.home.absolute() / "images" / Path(location).name.removesuffix(".tar.gz"), ignore_errors=True)


def _store(settings: Settings, key: str, contents: bytes) -> str:
    s3 = client(settings, "s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=key, Body=contents)
    return f"{BUCKET}/{key}"


def _tar(files: Mapping[str, bytes | Link]) -> bytes:
    """The same bytes for the same files: sorted, without times."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for path, file in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            if isinstance(file, Link):
                entry.type, entry.linkname = tarfile.SYMTYPE, str(file.target)
                archive.addfile(entry)
            else:
                entry.size = len(file)
                entry.mode = 0o755 if PurePosixPath(path).parent.name == "bin" else 0o644
                archive.addfile(entry, io.BytesIO(file))
    return packed.getvalue()
