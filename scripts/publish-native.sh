#!/usr/bin/env bash
# Builds the operators as a shared library for ONNX Runtime in any language (Linux; gcc):
#   scripts/publish-native.sh FOLDER
# On x86-64 FOLDER gets libdovetail_onnxruntime.so, which is what to register, and beside it one build for each level of
# the instruction set, of which it loads the best; elsewhere the library alone.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
[ $# -eq 1 ] || { echo "publish-native.sh: expected one argument, the folder to write to." >&2; exit 2; }
for tool in dotnet gcc; do
  command -v $tool > /dev/null 2>&1 || { echo "publish-native.sh: no '$tool' on the PATH." >&2; exit 127; }
done
mkdir -p "$1"
target=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

publish() { # NAME [PROPERTY]: one build
  dotnet publish "$root/src/Dovetail.Native/Dovetail.Native.csproj" -c Release -v quiet -o "$work/publish" ${2:+"$2"}
  mv -f "$work/publish/libdovetail_onnxruntime.so" "$target/$1"
}

if [ "$(uname -m)" != x86_64 ]; then
  publish libdovetail_onnxruntime.so
  exit
fi
for level in 2 3 4; do
  publish "libdovetail_onnxruntime.x86-64-v$level.so" "-p:IlcInstructionSet=x86-64-v$level"
done
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared -Wl,-z,nodelete \
  "$root/src/Dovetail.Native/loader.c" -o "$work/loader.so" -ldl
mv -f "$work/loader.so" "$target/libdovetail_onnxruntime.so"
