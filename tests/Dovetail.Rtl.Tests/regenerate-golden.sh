#!/usr/bin/env bash
# Writes the golden SystemVerilog anew; review the diff.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
DOVETAIL_GOLDEN_OUT="$PWD/Emit/Golden" dotnet run -c Release -- --filter-class '*GoldenTests'
git diff --stat -- Emit/Golden
