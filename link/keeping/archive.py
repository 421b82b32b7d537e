"""A backup as one file: what `influxd backup -portable` writes, packed, with a digest that travels beside it."""

import hashlib
import json
import shutil
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
    folder.mkdir(exist_ok=True)
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                _unpack_one(archive, member, folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Broken(f"the archive cannot be unpacked: {error}") from error
    return databases(folder)


def _unpack_one(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Unpack a file that lies at the top, as all do; Python 3.11.2, Debian 12's, has no filter that refuses others."""
    content = archive.extractfile(member)
    if content is None or Path(member.name).name != member.name:
        raise Broken(f"the archive cannot be unpacked: {member.name} is no file at its top")
    with content, (folder / member.name).open("wb") as file:
        shutil.copyfileobj(content, file)


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
