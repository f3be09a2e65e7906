#!/bin/bash
# Tests the program //benchmarks:reproduce: a tiny run's record is enough to run it again, bit by
# bit.
set -u
program=$PWD/$1
reproduce=$PWD/$2
compare=$PWD/$3
tiny=$PWD/data/synthetic/kinetics400_tiny
settings=$PWD/benchmarks/tests/testdata/tiny_search.textproto
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

grep -qw avx2 /proc/cpuinfo || { echo "SKIPPED: no AVX2"; exit 0; }

expect 0 'planned' "$program" --benchmark=kinetics400 --dataset_root="$tiny" \
  --settings="$settings" --output_dir=first --index="$PWD/index" --threads=1
# The files of a run that are committed.
mkdir recorded
cp first/record.textproto recorded/
grep -q 'arithmetic: "portable (AVX2)"' recorded/record.textproto || fail 'no arithmetic'
grep -q 'weights_sha256: "[0-9a-f]\{64\}"' recorded/record.textproto || fail 'no SHA-256'

again=("$reproduce" --dataset_root="$tiny" --index="$PWD/index" --output_dir=again)
# Stopped in the middle; whether that was before or after the end, the same command finishes it.
"${again[@]}" --threads=1 recorded >/dev/null 2>&1 &
stopped=$!
while [[ ! -e again/run/journal ]] && kill -0 $stopped 2>/dev/null; do sleep 0.1; done
kill -INT $stopped 2>/dev/null
wait $stopped
# Another number of threads changes no bit.
expect 0 '^Equal in every bit: .* were compared.$' "${again[@]}" --threads=2 recorded

# Records without scores are compared by checksum.
mkdir copy
cp again/run/record.textproto copy/
expect 0 'equal in every bit.*checksums' "$compare" --exact recorded copy
expect 0 'equal in every bit' "$compare" --exact recorded/record.textproto again/run

# One loss of the search and the weights differ.
sed -e '0,/ loss: /s/ loss: [0-9.]*/ loss: 2.5/' -e 's/weights_sha256: "..../weights_sha256: "0000/' \
  -e 's/commit: "[^"]*"/commit: "0123"/' -i copy/record.textproto
expect 1 'What differs first:' "${again[@]}" copy
expect 1 "search 'cs' > edge S0->S1 > curve at epoch . > loss: 2.5 against" "${again[@]}" copy
expect 1 'another commit of op3d: .*, recorded is 0123' "${again[@]}" copy
expect 1 'differ' "$compare" --exact recorded copy

# Native arithmetic is reported.
expect 0 planned "$program" --benchmark=kinetics400 --dataset_root="$tiny" --arithmetic=native \
  --settings="$settings" --output_dir=native --index="$PWD/index" --threads=1
grep -q 'arithmetic: "native (' native/record.textproto || fail 'native is not recorded'
grep -q 'arithmetic: NATIVE' native/record.textproto || fail 'native is not set'

# Wrong use.
expect 2 '0 records given' "$reproduce"
expect 2 'none' "$reproduce" none
expect 2 'other settings' "$reproduce" --dataset_root="$tiny" --output_dir=again native
expect 2 'ATEN_CPU_CAPABILITY=avx512, and portable arithmetic needs avx2' \
  env ATEN_CPU_CAPABILITY=avx512 "${again[@]}" recorded
expect 2 "arithmetic 'fast' is none of" "$program" --benchmark=kinetics400 --dataset_root="$tiny" --arithmetic=fast
sed 's/scale: MINIATURE/scale: FULL/' -i copy/record.textproto
expect 2 '--dataset_root is missing' "$reproduce" copy --output_dir=full
echo PASSED
