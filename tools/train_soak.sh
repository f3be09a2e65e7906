#!/bin/bash
# Kills //op3d:train at random moments and starts it again each time, until it has been killed the
# given number of times; whenever a run reaches its end, its log and weights must equal those of an
# uninterrupted run in every bit:
#
#   tools/train_soak.sh [kills=100] [most seconds between kills=3] [-- flags of train]
#
# Trains the test's tiny settings on a small synthetic dataset, two states with everything that
# draws random numbers; 100 kills take some minutes.  Prints the number of kills and ends, and ends
# with 0 if all are equal.  Folders are under ${TMPDIR:-/tmp}; they are kept if something differs.
set -eu
cd "$(dirname "$0")/.."
. tools/kill_loop.sh
kills=100 most=3
[ $# -gt 0 ] && [ "$1" != -- ] && { kills=$1; shift; }
[ $# -gt 0 ] && [ "$1" != -- ] && { most=$1; shift; }
[ $# -gt 0 ] && shift
./bazelw build //op3d:train //data/synthetic:kinetics400_tiny
folder=$(mktemp -d "${TMPDIR:-/tmp}/train_soak.XXXXXX")
echo "train_soak: $folder" >&2
# A build at the same time must not change it.
cp .bazel/bin/programs/train "$folder/train"
sed 's/epochs: 2/epochs: 12/' op3d/train/run/testdata/tiny_run.textproto >"$folder/soak.textproto"
train=("$folder/train" --settings="$folder/soak.textproto" --device=cpu
  --dataset_root="$PWD/.bazel/bin/data/synthetic/kinetics400_tiny" --index="$folder/index" "$@")

# The lines about steps and epochs, without times, which must be equal in every run.
results() {
  grep '"state":' "$1/log.jsonl" | sed 's/,"volatile":{[^}]*}//'
  (cd "$1" && sha256sum weights.safetensors best.safetensors state_*/weights.safetensors)
}

"${train[@]}" --output_dir="$folder/whole" >"$folder/whole.log" 2>&1
results "$folder/whole" >"$folder/whole.results"
done=0 ends=0
finish_round() {
  ends=$((ends + 1))
  results "$folder/run" >"$folder/run.results"
  if ! cmp "$folder/whole.results" "$folder/run.results"; then
    echo "train_soak: NOT equal after $done kills; see $folder" >&2
    exit 1
  fi
  rm -rf "$folder/run"
}
while [ "$done" -lt "$kills" ]; do
  # The number of threads varies: no result depends on it.
  if kill_at_random "$most" "$folder/run.log" "${train[@]}" --threads=$((1 + done % 2)) \
    --output_dir="$folder/run"; then
    done=$((done + 1))
    [ $((done % 10)) -eq 0 ] && echo "train_soak: kill $done of $kills" >&2
  else
    finish_round
  fi
done
"${train[@]}" --output_dir="$folder/run" >>"$folder/run.log" 2>&1
finish_round
lines=$(grep -c '"state":' "$folder/whole/log.jsonl")
echo "equal: $done kills, $ends runs of $lines lines taken to their end"
rm -rf "$folder"
