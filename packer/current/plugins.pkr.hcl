# Packer 1.10 and later carry no builder of their own. Packer 1.6 refuses this block, so the file lies aside and is
# added for 1.7 and later only.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.2.0, < 2.0.0"
    }
  }
}
