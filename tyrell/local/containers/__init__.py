"""EC2 instances of the embedded cloud as Docker containers: `tyrell local up --machines docker`.

A machine is a container with systemd, the address its instance was given, cloud-init that asks a metadata service, and
a volume for a Docker Engine of its own. A machine image is what was captured of one, so Packer bakes here as on AWS.

    driver.py      the parts, put together as `tyrell.local.machines.driver` wants them
    machine.py     one machine: boot, power off, removal, console     computer.py   its container
    disks.py       its volume, and the copy in a machine image        images.py     machine images: captured, discarded
    volumes.py     EBS volumes inside   graft.py     a folder of this computer, mounted in a container
    ec2_api.py     CreateImage      facts.py  what an instance is told about itself
    metadata_service.py  metadata_tree.py  credentials.py             IMDSv2
    base_image.py  debian/  base_ami.py                               Debian 12 as AWS offers it
    firewall.py    security groups are enforced                        security_groups.py  what they let in
    network.py     the bridge and the addresses on it                 sweep.py      removing everything of one cloud
    docker_engine.py  the door to Docker, and the label of what is ours
"""
