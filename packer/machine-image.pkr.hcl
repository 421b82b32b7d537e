# One template for every kind of machine image: what goes into it lies in the folder `contents`.

source "amazon-ebs" "machine" {
  region              = var.region
  custom_endpoint_ec2 = var.endpoint
  # A cloud that is not AWS has neither its regions, nor its STS, nor instance metadata for us.
  skip_region_validation      = true
  skip_credential_validation  = var.endpoint != ""
  skip_metadata_api_check     = var.endpoint != ""
  source_ami                  = var.base
  instance_type               = var.instance_type
  subnet_id                   = var.subnet
  associate_public_ip_address = var.ssh_interface == "public_ip"
  security_group_id           = var.security_group
  ssh_interface               = var.ssh_interface
  ssh_username                = "admin"
  temporary_key_pair_name     = var.key_pair
  run_tags                    = var.run_tags
  run_volume_tags             = var.run_tags

  # An instance that powers itself off, because its bake died, must not be left.
  shutdown_behavior = "terminate"

  # Encrypted from the first byte on, so the image is: `encrypt_boot` would make a second image by copying.
  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_size           = var.volume_gib
    volume_type           = "gp3"
    iops                  = 3000
    throughput            = 125
    encrypted             = true
    delete_on_termination = true
  }

  # That machines of the image answer IMDSv2 only is said in their launch template (roles/common/stack.yaml.j2):
  # Packer 1.6 has no `metadata_options` and no `imds_support`.
  ami_name        = var.name
  ami_description = "Tyrell machine image ${var.kind}"
  tags            = var.tags
  snapshot_tags   = var.tags
}

build {
  sources = ["source.amazon-ebs.machine"]

  provisioner "shell" {
    inline = ["mkdir /tmp/tyrell", "cloud-init status --wait"]
  }

  provisioner "file" {
    source      = "${var.contents}/"
    destination = "/tmp/tyrell"
  }

  provisioner "shell" {
    scripts         = [for name in sort(fileset(path.root, "scripts/*.sh")) : "${path.root}/${name}"]
    execute_command = "sudo env {{ .Vars }} {{ .Path }}"
    environment_vars = [
      "CONTENTS=/tmp/tyrell",
      "DEBIAN_FRONTEND=noninteractive",
    ]
  }

  post-processor "manifest" {
    output = "${path.root}/manifest.json"
  }
}
