"""What must be true of every template AWS gets, whatever the role."""

from __future__ import annotations

from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import loads

from tasks.model import Metrics
from tasks.templates import metrics_template
from tests.rendered import rendered

BODIES = {name: loads(body) for name, body in rendered().items()}


def resources(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Template, logical id and properties of every resource of that type."""
    return [
        (template, name, resource["Properties"])
        for template, body in BODIES.items()
        for name, resource in body["Resources"].items()
        if resource["Type"] == kind
    ]


def test_every_machine_demands_imdsv2_and_encrypts_its_volumes() -> None:
    templates = resources("AWS::EC2::LaunchTemplate")
    assert templates
    for _, _, properties in templates:
        data = properties["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert all(mapping["Ebs"]["Encrypted"] is True for mapping in data["BlockDeviceMappings"])
        assert "KeyName" not in data


def test_only_what_a_role_names_is_open_to_the_world() -> None:
    rules = resources("AWS::EC2::SecurityGroupIngress")
    world = {(template, name) for template, name, rule in rules if rule.get("CidrIp") == "0.0.0.0/0"}
    assert world == {("base.yaml", "RouterOpenTo1"), ("base-given-buckets.yaml", "RouterOpenTo1")}
    assert not [rule for _, _, rule in rules if rule["FromPort"] <= 22 <= rule["ToPort"]]
    assert not [rule for _, _, rule in rules if rule["FromPort"] <= 2375 <= rule["ToPort"]]


def test_a_metrics_stack_has_a_listener_and_a_unit_for_what_its_machine_image_holds_and_no_other() -> None:
    metrics = Metrics.model_validate({"name": "metrics", "network": "demo-network"})
    for without, ports in (((), {8086, 8087, 3000, 3100}), (("grafana", "loki"), {8086, 8087})):
        text = metrics_template(metrics, without)
        made = loads(text)["Resources"].values()
        assert {each["Properties"]["Port"] for each in made if each["Type"].endswith("::Listener")} == ports
        assert ("Loki" in loads(text)["Outputs"]) == (3100 in ports)
        assert ("grafana.service" in text, "/grafana-?" in text) == (3000 in ports, 3000 in ports)


def test_every_group_lies_in_private_subnets_and_carries_its_identity() -> None:
    groups = [group for group in resources("AWS::AutoScaling::AutoScalingGroup") if group[0] != "metrics.yaml"]
    assert len(groups) >= 4
    for _, _, properties in groups:
        assert "PrivateSubnets" in str(properties["VPCZoneIdentifier"])
        tags = {tag["Key"]: tag["PropagateAtLaunch"] for tag in properties["Tags"]}
        identity = ["tyrell:stack", "tyrell:role", "tyrell:version", "tyrell:release"]
        assert all(tags[key] is True for key in identity)


def test_an_update_never_resets_the_size_of_a_group() -> None:
    assert not [
        name for name, _, group in resources("AWS::AutoScaling::AutoScalingGroup") if "DesiredCapacity" in group
    ]


def test_buckets_are_private_encrypted_and_outlive_the_stack() -> None:
    for template, name, properties in resources("AWS::S3::Bucket"):
        assert all(properties["PublicAccessBlockConfiguration"].values())
        assert properties["BucketEncryption"]
        assert BODIES[template]["Resources"][name]["DeletionPolicy"] == "Retain"


def test_every_queue_has_a_place_for_what_cannot_be_processed() -> None:
    queues = [(name, queue) for _, name, queue in resources("AWS::SQS::Queue") if not name.endswith("DeadLetters")]
    assert queues
    assert all(queue["RedrivePolicy"]["maxReceiveCount"] > 1 for _, queue in queues)


def test_a_permission_on_everything_only_looks() -> None:
    statements = [
        statement
        for _, _, role in resources("AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    wide = [action for statement in statements if "*" in statement["Resource"] for action in statement["Action"]]
    assert wide
    assert all(action.split(":")[1].startswith("Describe") for action in wide)


def test_every_machine_may_read_the_secret_of_its_stacks_metrics_and_no_other_of_that_kind() -> None:
    arn = (
        "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:tyrell/${AWS::StackName}/metrics"
    )
    machines = [role for role in resources("AWS::IAM::Role") if role[0] not in {"metrics.yaml", "flow-worker.yaml"}]
    assert machines
    for _, _, role in machines:
        (policy,) = role["Policies"]
        secrets = [each for each in policy["PolicyDocument"]["Statement"] if "secretsmanager" in str(each)]
        assert {"Fn::Sub": f"{arn}-??????"} in secrets[0]["Resource"]
        assert {action for each in secrets for action in each["Action"]} == {"secretsmanager:GetSecretValue"}


@pytest.mark.parametrize("name", ["base.yaml", "base-given-buckets.yaml"])
def test_given_buckets_are_used_instead_of_new_ones(name: str) -> None:
    made = [resource for resource in BODIES[name]["Resources"].values() if resource["Type"] == "AWS::S3::Bucket"]
    output = BODIES[name]["Outputs"]["DeviceDataBucket"]["Value"]
    assert (len(made), output) == ((2, {"Ref": "DeviceDataBucket"}) if name == "base.yaml" else (0, "my-data"))


@pytest.mark.parametrize(
    ("name", "bucket"), [("base.yaml", "${DeviceDataBucket}"), ("base-given-buckets.yaml", "my-data")]
)
def test_a_worker_may_write_to_the_bucket_that_the_stack_uses_and_delete_only_its_own_notes(
    name: str, bucket: str
) -> None:
    (policy,) = BODIES[name]["Resources"]["DeviceDataWorkerRole"]["Properties"]["Policies"]
    may = {
        action: statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if action.startswith("s3:")
    }
    arn = "arn:${AWS::Partition}:s3:::" + bucket
    whole = {"Fn::GetAtt": ["DeviceDataBucket", "Arn"]} if name == "base.yaml" else {"Fn::Sub": arn}
    assert may == {
        "s3:PutObject": [{"Fn::Sub": f"{arn}/*"}],
        "s3:GetObject": [{"Fn::Sub": f"{arn}/*"}],
        "s3:ListBucket": [whole],
        "s3:DeleteObject": [{"Fn::Sub": f"{arn}/.data-worker/*"}],
    }
