"""The build-image flow: from what a role is made of to its Docker image."""

from prefect import flow

from tasks.images import Built, build_image, publish_images, use_image
from tasks.parameters import AnyRole, OptionalVersion
from tasks.recipes import check_committed
from tasks.registries import push_image
from tasks.roles import load_role
from tasks.run_list import tag_run


@flow(name="build-image", flow_run_name="build images of {roles}", on_running=[tag_run])
def build_images(
    roles: tuple[AnyRole, ...],
    version: OptionalVersion = "",
    context: str = "",
    args: dict[str, str] | None = None,
    image: str = "",
    registry: str = "",
    credentials: str = "",
    require_clean: bool = False,
) -> tuple[Built, ...]:
    """Build the image of each role unless there is one of the same inputs, and push it when a registry is named.

    Args:
        roles: whose images
        version: a tag they get beside the digest of their inputs
        context: build this folder, or git URL, instead of the role's own files
        args: values for ARG in the Dockerfiles; never secrets, they can be read in the run
        image: use this ready-made image instead of building; a role's own file may name one, too
        registry: where to push them: host, port and path
        credentials: the name of the Prefect Secret block with the registry's `username` and `password`
        require_clean: refuse when the checkout holds something that no commit has
    """
    if require_clean:
        check_committed(context)

    given = {role: image or load_role(role).image for role in roles}
    built = tuple(
        use_image(role, reference) if reference else build_image(role, context, args, version)
        for role, reference in given.items()
    )
    if registry:
        for each in built:
            push_image(each.image, registry, version, credentials)
    publish_images(built)
    return built
