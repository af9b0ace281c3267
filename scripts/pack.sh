#!/usr/bin/env bash
# Makes the packages and the tool in artifacts/packages, a folder feed:  scripts/pack.sh [VERSION]
# The tool is packed for this system alone; TOOL_RIDS="linux-x64;win-x64" packs it for those.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
version=()
[ $# -gt 0 ] && version=("-p:Version=$1")

rm -rf artifacts/packages artifacts/nuget/dovetail* # the second: what was unpacked of an earlier build of this version
for project in Core Onnx Kernels Runtime Benchmarking Data Training Accelerator Rtl; do
  dotnet pack "src/Dovetail.$project/Dovetail.$project.csproj" -c Release --nologo -v quiet "${version[@]}"
done
dotnet pack src/Dovetail.Cli/Dovetail.Cli.csproj -c Release --nologo -v quiet "${version[@]}" -p:ToolRids="\"${TOOL_RIDS:-}\""
ls -l artifacts/packages
