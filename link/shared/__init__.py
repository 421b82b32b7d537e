"""What every service shares: the environment, logs, the etcd client and the records in it."""
