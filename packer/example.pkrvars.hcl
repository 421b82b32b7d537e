# Values to check the template with (`make packer`); nothing is made of them.
kind           = "link"
name           = "tyrell-link-00000000"
tags           = { "tyrell:kind" = "link" }
contents       = "packer/files"
base           = "ami-00000000000000000"
region         = "us-east-1"
subnet         = "subnet-00000000000000000"
security_group = "sg-00000000000000000"
ssh_interface  = "public_ip"
key_pair       = "tyrell-bake-00000000"
run_tags       = { "tyrell:bake-key" = "00000000" }
