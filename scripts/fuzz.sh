#!/usr/bin/env bash
# Fuzzes the readers at length, at low priority: scripts/fuzz.sh [COUNT [SEED]]   (default 2000000 inputs, seed 1)
# Findings are written to artifacts/fuzz; each becomes a named regression test.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
count=${1:-2000000} seed=${2:-1}
dotnet build tests/Dovetail.Fuzz -c Release -v q --nologo
status=0
for target in safetensors onnx input shapes topology energy latency liberty; do
  nice -n 19 dotnet tests/Dovetail.Fuzz/bin/Release/net10.0/Dovetail.Fuzz.dll "$target" $((count / 8)) "$seed" artifacts/fuzz || status=$?
done
exit $status
