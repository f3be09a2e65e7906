#!/bin/bash
# Runs a committed record again, killed once and with other threads: every bit must be that of the record.
# The record is of another time and perhaps of another machine; reproduce_test compares two runs of
# today.
set -u
reproduce=$PWD/$1
tiny=$PWD/data/synthetic/kinetics400_tiny
recorded=$PWD/benchmarks/tests/testdata/tiny_planned
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

grep -qw avx2 /proc/cpuinfo || { echo "SKIPPED: no AVX2"; exit 0; }
vendor=$(sed -n 's/^vendor_id\s*: //p' /proc/cpuinfo | head -1)
if ! grep -q "vendor: \"$vendor\"" "$recorded/record.textproto"; then
  echo "SKIPPED: the record is from another vendor's processor than $vendor, where nobody has tried it"
  exit 0
fi

again=("$reproduce" --dataset_root="$tiny" --index="$PWD/index" --output_dir=again)
"${again[@]}" --threads=1 "$recorded" > first.log 2>&1 &
killed=$!
# In the middle of the search.
while [[ ! -e again/run/journal/wide ]] && kill -0 $killed 2>/dev/null; do sleep 0.1; done
kill -KILL $killed 2>/dev/null
wait $killed
[[ $? == 137 ]] || fail 'the run ended before it was killed'
expect 0 '^Equal in every bit: .* were compared.$' "${again[@]}" --threads=3 "$recorded"
echo PASSED
