#!/usr/bin/env bash
# Measures the CPU runtime against ONNX Runtime's dense operators and writes one file a table, each with its command:
#   scripts/measure.sh FOLDER [SECONDS_A_SIDE]        e.g. scripts/measure.sh bench/results/amd-epyc-zen4
# Some twelve minutes. Leave the machine alone meanwhile: the load average is written beside every table.
set -euo pipefail
if [ $# -lt 1 ]; then
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
fi
folder=$(mkdir -p "$1" && cd "$1" && pwd)
seconds=${2:-0.3}
cd "$(dirname "$0")/.."
./dovetail --version >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# table NAME ARGUMENTS...: bench with these arguments into NAME.txt and NAME.json
table() {
    local name=$1
    shift
    echo "measure.sh: $name" >&2
    {
        echo "command: ${DOTNET_EnableAVX512:+DOTNET_EnableAVX512=$DOTNET_EnableAVX512 }./dovetail bench $* (scripts/measure.sh)"
        echo "date $(date -u +%F), commit $(git describe --always --dirty), load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
        COLUMNS=200 ./dovetail bench "$@" --json "$work/$name.json" | grep -v '^Measuring'
        echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
    } >"$work/$name.txt"
    mv "$work/$name.txt" "$work/$name.json" "$folder/"
}

fp32=(--pattern 1:4 --pattern 1:8 --pattern 1:16 --pattern 2:32 --pattern 1:32)
for network in resnet50 vit-s gpt2-small; do
    table "$network-fp32" --shapes "bench/shapes/$network.csv" "${fp32[@]}" -t "$seconds"
    table "$network-int8" --shapes "bench/shapes/$network.csv" --dtype int8 --pattern 4:64 -t "$seconds"
    table "$network-bf16" --shapes "bench/shapes/$network.csv" --dtype bf16 --pattern 2:32 -t "$seconds"
done
table gpt2-small-fp16 --shapes bench/shapes/gpt2-small.csv --dtype fp16 --pattern 1:16 --pattern 1:32 -t "$seconds"
table resnet50-other-patterns --shapes bench/shapes/resnet50.csv --pattern 4:64 --pattern 1:16/out --pattern 1:16@strided -t "$seconds"
# As on a CPU without AVX-512. ONNX Runtime keeps using it: its side is not slowed down.
for network in resnet50 gpt2-small; do
    DOTNET_EnableAVX512=0 table "$network-avx2-fp32" --shapes "bench/shapes/$network.csv" --pattern 1:4 --pattern 1:8 --pattern 1:16 --pattern 1:32 --pattern 4:64 -t "$seconds"
    DOTNET_EnableAVX512=0 table "$network-avx2-int8" --shapes "bench/shapes/$network.csv" --dtype int8 --pattern 1:16 --pattern 4:64 -t "$seconds"
done
for threads in 1 2; do
    table "resnet50-network-$threads-thread" zoo:resnet50 --pattern 1:16 --threads "$threads" -t 40
done

echo "measure.sh: kernels" >&2
program=(dotnet run -c Release --project bench/Dovetail.Benchmarks -- kernels)
{
    for values in fp32 bf16 fp16; do
        "${program[@]}" bench/shapes/gpt2-small.csv --values "$values" --only avx512asm
    done
    "${program[@]}" bench/shapes/resnet50.csv --pattern 2:32 --pattern 4:64 --pattern 1:16/out --only avx512
    "${program[@]}" bench/shapes/resnet50.csv --int8 --pattern 1:16/out --only avx512
    echo "DOTNET_EnableAVX512=0:"
    DOTNET_EnableAVX512=0 "${program[@]}" bench/shapes/resnet50.csv --pattern 1:8 --pattern 1:16
    DOTNET_EnableAVX512=0 "${program[@]}" bench/shapes/resnet50.csv --int8
} >"$work/kernels.txt"
mv "$work/kernels.txt" "$folder/"
