"""A backup as one file: what `influxd backup -portable` writes, packed, with a digest that travels beside it."""

import hashlib
import json
import tarfile
from pathlib import Path

MANIFEST = ".manifest"


class Broken(Exception):
    """An archive that cannot be restored; the text is one sentence."""


def pack(folder: Path, file: Path) -> str:
    """Pack the files of `folder`, which are compressed already, into `file`; return its SHA-256."""
    with tarfile.open(file, "w:gz", compresslevel=1) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, arcname=path.name)
    return digest(file)


def digest(file: Path) -> str:
    """Return the file's SHA-256 as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unpack(file: Path, folder: Path, sha256: str) -> tuple[str, ...]:
    """Unpack what has that digest, and return the names of the databases in it. Raises Broken."""
    if digest(file) != sha256:
        raise Broken("the archive is not what was written: its SHA-256 differs from the one beside it")
    try:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Broken(f"the archive cannot be unpacked: {error}") from error
    return databases(folder)


def databases(folder: Path) -> tuple[str, ...]:
    """Return the databases of an unpacked backup that have data. Raises Broken when a file of it is missing.

    The manifest names them: https://github.com/influxdata/influxdb/blob/1.x/cmd/influxd/backup_util/backup_util.go
    """
    manifests = list(folder.glob(f"*{MANIFEST}"))
    if not manifests:
        raise Broken("the archive is no backup of InfluxDB: there is no manifest in it")
    names = set()
    for manifest in manifests:
        try:
            told = json.loads(manifest.read_text())
            shards = told["files"] or []
            files = [told["meta"]["fileName"], *(shard["fileName"] for shard in shards)]
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"the manifest {manifest.name} cannot be read") from error
        if missing := [name for name in files if not (folder / name).is_file()]:
            raise Broken(f"the archive is not whole: {', '.join(missing)} is missing")
        names |= {shard["database"] for shard in shards}
    return tuple(sorted(names))
