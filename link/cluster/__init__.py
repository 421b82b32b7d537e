"""The parts of an etcd member: who else is there, and how to join."""
