#!/bin/sh
# Makes data/fashion-mnist-sample anew from the full Fashion-MNIST (Debian package dataset-fashion-mnist).
# Usage: scripts/make-sample-data.sh [FULL_SET_FOLDER]
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
exec dotnet run "$root/scripts/make-sample-data.cs" -- "${1:-/usr/share/datasets/fashion-mnist}" "$root/data/fashion-mnist-sample"
