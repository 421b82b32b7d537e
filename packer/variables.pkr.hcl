variable "kind" {
  description = "Which machine image: link, worker, metrics or flows."
  type        = string
  validation {
    condition     = contains(["link", "worker", "metrics", "flows"], var.kind)
    error_message = "The kind must be link, worker, metrics or flows."
  }
}

variable "name" {
  description = "The name of the machine image."
  type        = string
  validation {
    condition     = length(var.name) >= 3 && length(var.name) <= 128
    error_message = "The name must have 3 to 128 characters."
  }
}

variable "tags" {
  description = "The tags of the machine image and of its snapshot."
  type        = map(string)
}

variable "contents" {
  description = "The folder of what goes into the image: files/ as they lie below /, images.tar as docker save writes it."
  type        = string
}

variable "base" {
  description = "The id of the machine image to begin with: Debian 12 for amd64."
  type        = string
  validation {
    condition     = substr(var.base, 0, 4) == "ami-"
    error_message = "The base must be the id of a machine image, ami-..."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "endpoint" {
  description = "The URL of another cloud with EC2's API; empty for AWS."
  type        = string
  default     = ""
}

variable "subnet" {
  description = "The id of the subnet to bake in; it has a way to the internet."
  type        = string
}

variable "security_group" {
  description = "The id of a security group that lets ssh in from this machine, and nobody else."
  type        = string
}

variable "ssh_interface" {
  description = "Which address of the instance this machine reaches: public_ip or private_ip."
  type        = string
  validation {
    condition     = contains(["public_ip", "private_ip"], var.ssh_interface)
    error_message = "The interface must be public_ip or private_ip."
  }
}

variable "key_pair" {
  description = "The name of the key pair that is made for the bake and deleted after it."
  type        = string
}

variable "run_tags" {
  description = "The tags of the instance and its volume while it is baked."
  type        = map(string)
}

variable "instance_type" {
  description = "The type of the instance that is baked."
  type        = string
  default     = "t3.medium"
}

variable "volume_gib" {
  description = "The size of the root volume; no machine made of the image can have a smaller one."
  type        = number
  default     = 8
}
