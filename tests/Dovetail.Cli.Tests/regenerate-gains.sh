#!/usr/bin/env bash
# Writes the table of expected gains anew from bench/results; review the diff.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
DOVETAIL_GOLDEN_OUT=$(cd ../../src/Dovetail.Cli/Commands/Doctor && pwd) dotnet run -c Release -- --filter-class '*ExpectedGainsTests'
git diff --stat -- ../../src/Dovetail.Cli/Commands/Doctor
