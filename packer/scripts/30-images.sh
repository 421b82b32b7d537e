#!/bin/sh -eu
# The Docker images of the services, each named after its role: no machine pulls one when it boots.
docker load --quiet --input "$CONTENTS/images.tar"
while read -r id role; do docker tag "$id" "$role"; done < /opt/link/images
