"""The bake-ami flow: from the Docker images of the roles to the machine image that carries them."""

from ipaddress import IPv4Address

from prefect import flow

from tasks.bake_holds import check_free
from tasks.bake_leftovers import sweep
from tasks.bake_places import find_place
from tasks.bake_plans import find_plan
from tasks.bakes import Baked, adopt_build, bake, publish_bake
from tasks.parameters import Ami, Kind, OptionalNetwork


@flow(name="bake-ami", flow_run_name="bake {kind}")
def bake_ami(
    kind: Kind = "link",
    images: dict[str, str] | None = None,
    base: Ami = "",
    network: OptionalNetwork = "",
    ssh_from: IPv4Address | None = None,
    without: tuple[str, ...] = (),
) -> Baked:
    """Bake the machine image of a kind with Packer, unless there is one of exactly the same inputs.

    Args:
        kind: link, worker, metrics or flows
        images: ready-made Docker images by role or service; the others are what `build-image` made of the checkout
        base: the machine image to begin with; without it the newest Debian 12
        network: the network to bake in; without it the only one there is, or the demo's
        ssh_from: the address that may reach the instance while it is baked; without it ours
        without: services with a ready-made Docker image that are left out, because that cannot be had
    """
    plan = find_plan(kind, images or {}, base, without)
    check_free(plan)
    build = adopt_build(plan)
    sweep(plan.name, plan.key)
    baked = Baked(build=build, outcome="unchanged") if build else bake(plan, find_place(network, ssh_from))
    publish_bake(baked)
    return baked
