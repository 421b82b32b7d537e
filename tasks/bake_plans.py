"""What a machine image would be made of, down to one digest, the bake key: of the same key there is never a second."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tasks.bake_keys import WITHOUT, Offer, bake_key, digest, input_tags, release_of
from tasks.base_images import find_base
from tasks.builds import REFERENCE, find_named
from tasks.images import Image
from tasks.link_modules import ROOT
from tasks.machine_images import Contents, content_digests, find_contents, find_images, template_digests
from tasks.model import Noun
from tasks.packer import find_version
from tasks.source import find_source
from tasks.steps import step


class Plan(Noun):
    """A machine image to be."""

    contents: Contents
    base: str
    packer: str
    """Packer's version."""
    commit: str
    inputs: dict[str, str]
    """The digest of everything that makes the image, by name."""

    @property
    def kind(self) -> str:
        """The kind of machine image."""
        return self.contents.kind

    @property
    def key(self) -> str:
        """The bake key."""
        return bake_key(self.inputs)

    @property
    def release(self) -> str:
        """See `release_of`."""
        return release_of(self.inputs)

    @property
    def name(self) -> str:
        """See `image_name`."""
        return image_name(self.kind, self.release)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the AMI and its snapshot."""
        named = {
            "Name": self.name,
            "tyrell:kind": self.kind,
            "tyrell:release": self.release,
            "tyrell:bake-key": self.key,
            "tyrell:base": self.base,
            "tyrell:commit": self.commit or "none",
        }
        if self.contents.without:
            named[WITHOUT] = " ".join(self.contents.without)
        images = {REFERENCE + image.role: image.reference for image in self.contents.images}
        return {**named, **input_tags(self.inputs), **images}


@step("what is in machine image {kind}", system="docker")
def find_plan(kind: str, images: Mapping[str, str], base: str = "", without: Collection[str] = ()) -> Plan:
    """What an image of this kind would be made of now; see `find_contents` and `find_base`, also for errors."""
    packer = find_version()
    contents = find_contents(kind, images, without)
    base = find_base(base)
    inputs = _inputs({image.role: image for image in contents.images}, base, packer)
    return Plan(contents=contents, base=base, packer=packer, commit=find_source(ROOT).commit, inputs=inputs)


def foresee_bake(kind: str, images: Mapping[str, str], base: str = "") -> Offer:
    """What `find_plan` will find once the Docker images are built, as far as it is known now.

    The digest of an image that is still to be built is empty, and then so is the release. `ami` is the machine image
    if it is there already. Raises as `find_plan` does, but not for images that are not built.
    """
    packer = find_version()
    inputs = _inputs(find_images(kind, images), find_base(base), packer)
    if not all(inputs.values()):
        return Offer(release="", inputs=inputs)
    release = release_of(inputs)
    build = find_named(image_name(kind, release))
    return Offer(release=release, inputs=inputs, ami=build.ami if build and build.state == "available" else "")


def image_name(kind: str, release: str) -> str:
    """The AMI's name. The same key gives the same name, so AWS itself refuses a second image of it."""
    return f"tyrell-{kind}-{release}"


def _inputs(images: Mapping[str, Image | None], base: str, packer: str) -> dict[str, str]:
    return {
        "base": digest(base),
        "tools": digest(f"packer {packer}"),
        **template_digests(),
        **content_digests(images),
    }
