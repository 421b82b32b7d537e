#!/bin/sh -eu
# The files of the image, owned by root, and their list with which they are validated.
cd "$CONTENTS/files"
chown --recursive root:root .
cp --archive . /
find . -type f -exec sha256sum {} + | sed 's,  \./,  /,' > /opt/link/SHA256SUMS
