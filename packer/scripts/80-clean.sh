#!/bin/sh -eu
# What belongs to this instance alone, or could let somebody in. The connection that we came by stays open.
rm -rf "$CONTENTS" /root/.ssh /home/*/.ssh /root/.docker /home/*/.docker
rm -f /etc/ssh/ssh_host_* /root/.*_history /home/*/.*_history
rm -f /etc/docker/key.json # the engine makes a new one when it starts
cloud-init clean --logs
truncate --size 0 /etc/machine-id
rm -f /var/lib/dbus/machine-id
journalctl --quiet --rotate --vacuum-time=1s
