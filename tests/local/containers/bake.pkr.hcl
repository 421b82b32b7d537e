# The smallest bake that does all that a real one does: a program from the network, and data of Docker Engine.
variable "endpoint" { type = string }
variable "vpc" { type = string }
variable "subnet" { type = string }
variable "source_ami" { type = string }
variable "manifest" { type = string }

source "amazon-ebs" "machine" {
  access_key                 = "embedded-cloud"
  secret_key                 = "embedded-cloud"
  region                     = "us-east-1"
  custom_endpoint_ec2        = var.endpoint
  skip_region_validation     = true
  skip_metadata_api_check    = true
  skip_credential_validation = true
  vpc_id                     = var.vpc
  subnet_id                  = var.subnet
  source_ami                 = var.source_ami
  instance_type              = "t3.micro"
  ssh_username               = "admin"
  ssh_interface              = "private_ip"
  ami_name                   = "baked-by-packer"
  force_deregister           = true
  force_delete_snapshot      = true
  tags                       = { kind = "test" }
  snapshot_tags              = { kind = "test" }
}

build {
  sources = ["source.amazon-ebs.machine"]

  provisioner "file" {
    source      = "${path.root}/hello.Dockerfile"
    destination = "/tmp/hello.Dockerfile"
  }

  provisioner "shell" {
    inline = [
      "cloud-init status --wait",
      "sudo apt-get update -qq",
      "sudo DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends docker.io busybox-static",
      "tar --create --directory / bin/busybox etc/debian_version | sudo docker import - hello:1",
      "sudo docker build --tag hello:2 - < /tmp/hello.Dockerfile",
      "echo baked | sudo tee /etc/baked",
    ]
  }

  post-processor "manifest" {
    output = var.manifest
  }
}
