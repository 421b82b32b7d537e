"""What an image is made of, down to one digest: who has an image of the same digest needs no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tasks.build_contexts import dockerfile_in, folder_context, role_context
from tasks.docker_engine import engine, find_or_pull
from tasks.dockerfiles import base_images
from tasks.link_modules import ROOT
from tasks.model import Noun, RoleName
from tasks.roles import load_role
from tasks.source import Source, check_clean, find_source, is_git_url, pinned


class Recipe(Noun):
    """All that the image of a role is made of."""

    role: RoleName
    archive: bytes = b""
    remote: str = ""
    """Instead of the archive: a git repository at a commit, in Docker's words (`URL#commit:folder`)."""
    args: dict[str, str]
    source: Source
    inputs: str
    """The digest of archive or remote, build arguments and base images: the same on every machine."""

    @property
    def reference(self) -> str:
        """The name of the image."""
        return f"link-{self.role}:{self.inputs[:12]}"


def find_recipe(role: str, context: str = "", args: Mapping[str, str] | None = None, root: Path = ROOT) -> Recipe:
    """What the image of `role` would be made of now. Pulls its base images when the engine does not have them.

    Without a `context`, a folder or a git URL (`URL#ref:folder`), it is the role's own in the checkout `root`. Base
    images of a git context are not looked at. Raises NotFound for whatever is not there, TyrellError without an engine.
    """
    load_role(role)
    given = dict(args or {})
    if is_git_url(context):
        remote, source = pinned(context)
        return Recipe(role=role, remote=remote, args=given, source=source, inputs=inputs_digest(remote, given, {}))
    packed = folder_context(Path(context)) if context else role_context(role, root)
    with engine() as client:
        names = base_images(dockerfile_in(packed), given)
        bases = {name: str(find_or_pull(client, name, f"base image of {role}").id) for name in names}
    inputs = inputs_digest(packed, given, bases)
    source = find_source(Path(context) if context else root)
    return Recipe(role=role, archive=packed, args=given, source=source, inputs=inputs)


def check_committed(context: str = "") -> None:
    """Raises UsageError when what would be built holds something that no commit has; a git URL never does."""
    if not is_git_url(context):
        check_clean(Path(context) if context else ROOT)


def inputs_digest(context: bytes | str, args: Mapping[str, str], bases: Mapping[str, str]) -> str:
    """SHA-256, in hex, of everything that makes an image: context, build arguments, ids of base images by name."""
    packed = context if isinstance(context, bytes) else context.encode()
    facts = {"context": hashlib.sha256(packed).hexdigest(), "args": dict(args), "bases": dict(bases)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
