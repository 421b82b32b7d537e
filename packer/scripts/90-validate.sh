#!/bin/sh -u
# The image as it will be: says everything that is wrong with it, and fails when something is.
problems=$(mktemp)

found() {
    echo "invalid image: $*" | tee -a "$problems" >&2
}

# Files are as they were sent.
sha256sum --check --quiet --strict /opt/link/SHA256SUMS 2>/dev/null | while read -r line; do found "$line"; done

# Units can be read, and what they start is there.
for unit in $(sed -n 's,.*  /etc/systemd/system/\([^/]*\.service\)$,\1,p' /opt/link/SHA256SUMS); do
    said=$(systemd-analyze verify --man=no --recursive-errors=no "/etc/systemd/system/$unit" 2>&1) ||
        found "unit $unit: $said"
    ! systemctl --quiet is-enabled "$unit" 2>/dev/null || found "unit $unit starts at boot, before its user data"
done

# Every Docker image is there, by its id.
while read -r id role; do
    docker image inspect "$id" >/dev/null 2>&1 || found "the Docker image of $role is missing: $id"
done < /opt/link/images
systemctl --quiet is-enabled docker.socket || found "docker.socket does not start at boot"

# The journal outlives a reboot, and may be read where the log shipper looks for it.
[ -d /var/log/journal ] || found "the journal is not kept: /var/log/journal is missing"

# Nothing that lets somebody in, or that is somebody's secret.
for path in /root/.ssh/* /home/*/.ssh/* /etc/ssh/ssh_host_* /root/.*_history /home/*/.*_history \
    /root/.docker /home/*/.docker /root/.aws /home/*/.aws /var/lib/cloud/instance /var/lib/cloud/instances/* \
    /etc/docker/key.json; do
    [ ! -e "$path" ] || found "$path is left"
done
[ ! -s /etc/machine-id ] || found "/etc/machine-id is this instance's"

# Nobody listens to the network but sshd.
ss --no-header --listening --tcp --numeric | awk '{ print $4 }' | while read -r address; do
    case "$address" in
    127.* | \[::1\]* | *:22) ;;
    *) found "somebody listens on $address" ;;
    esac
done

[ ! -s "$problems" ]
