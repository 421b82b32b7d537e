"""The parts of an etcd member: the machines there are, the cluster on them, and how to join and to leave it."""
