#!/bin/sh -eu
# Docker Engine, from Debian.
apt-get -qq update
apt-get -qq install --yes --no-install-recommends docker.io
apt-get -qq clean
rm -rf /var/lib/apt/lists/*
