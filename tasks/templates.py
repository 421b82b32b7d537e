"""Templates of the role folders, rendered: CloudFormation bodies, user data, systemd units and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.flow_policies import flow_policies, policy_document
from tasks.model import Metrics, Network, RegistryApiName, Stack
from tasks.role_parts import ByRegistry, Service
from tasks.roles import FOLDER, Role, load_role, machine_services, role_names

SHARED = "/opt/link/share"
"""Where a machine has the folders of a role that its services read."""


def _logical(name: str) -> str:
    """`tenant-mgmt-api` as the logical id `TenantMgmtApi`: CloudFormation takes letters and digits only."""
    return "".join(part.capitalize() for part in name.split("-"))


_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  the output is YAML for AWS, not HTML
)
_templates.filters["logical"] = _logical
_templates.globals |= {"flow_policies": flow_policies, "policy_document": policy_document}


def network_template(network: Network) -> str:
    """The CloudFormation body of a network; its parameter `Zones` takes four names of availability zones."""
    nat_gateways = [1] if network.nat == "one" else [1, 2, 3, 4]
    return _templates.get_template("network/stack.yaml.j2").render(network=network, nat_gateways=nat_gateways)


def base_template(stack: Stack) -> str:
    """The CloudFormation body of a stack's base, with what every role there is needs of it."""
    return _templates.get_template("base/stack.yaml.j2").render(
        stack=stack,
        roles=[load_role(name) for name in role_names()],
        given_buckets={"DeviceData": stack.device_data_bucket, "Usage": stack.usage_bucket},
    )


def metrics_template(metrics: Metrics, without: Iterable[str] = ()) -> str:
    """The CloudFormation body of a metrics stack whose machine image is `without` these services.

    Its name, network, image, subnet and bucket are its parameters.
    """
    role = load_role("metrics").without(without)
    data = _templates.get_template("metrics/user-data.yaml.j2").render(role=role)
    return _templates.get_template("metrics/stack.yaml.j2").render(metrics=metrics, role=role, user_data=data)


def attachment_template() -> str:
    """The CloudFormation body that lets a stack's machines reach a metrics stack; both names are its parameters."""
    return _templates.get_template("metrics/attachment.yaml.j2").render()


def version_template(role: Role, registry_api: RegistryApiName = "v3") -> str:
    """The CloudFormation body of one version of `role`; stack, version, release and image are its parameters."""
    return _templates.get_template(f"{role.name}/stack.yaml.j2").render(
        role=role, registry_api=registry_api, user_data=user_data(role, registry_api)
    )


def user_data(role: Role, registry_api: RegistryApiName = "v3") -> str:
    """The cloud-config of the role's machines; `${...}` in it is filled in by CloudFormation (Fn::Sub)."""
    return _templates.get_template(f"{role.name}/user-data.yaml.j2").render(
        role=role, services=machine_services(role), registry_api=registry_api
    )


def unit_files(role: Role) -> dict[str, str]:
    """The systemd units of `role`, by file name: what its machine image carries."""
    template = _templates.get_template("common/unit.service.j2")
    outlived_by = [unit for service in machine_services(role) if service.everywhere for unit in service.units]
    return {
        service.unit: template.render(role=role, service=service, outlived_by=[] if service.everywhere else outlived_by)
        for service in role.services
    }


def program_files(role: Role, images: Mapping[str, str]) -> dict[str, str]:
    """The programs of `role` for machines with a Docker Engine, by name: each runs in a container.

    `images` are the ids of the Docker images: the role's by its name, and by their names those that services have of
    their own.
    """
    template = _templates.get_template("common/program.sh.j2")
    records = role.traffic.records if isinstance(role.traffic, ByRegistry) else ""

    def program(command: str, environment: Iterable[str], service: Service | None = None) -> str:
        own = bool(service and service.image)
        main = own or service == role.services[0]
        return template.render(
            role=role,
            command=command,
            environment=sorted(environment),
            service=service,
            shared=SHARED,
            entrypoint=not main,
            records=records if main and not own else "",
            image=images[service.name if service and service.image else role.name],
        )

    services = {service.command: program(service.command, service.environment, service) for service in role.services}
    others = {name: program(name, variables) for name, variables in role.programs.items()}
    return services | others
