#!/bin/bash
# Kills a benchmark run at random moments, starts it again each time, and compares what it ends with
# against a run that was left alone:
#
#   tools/kill_soak.sh [kills=20] [most seconds between kills=15] [-- flags of the benchmark]
#
# Prints "equal" and ends with 0 when every bit is the same.  Folders stand under ${TMPDIR:-/tmp}.
set -eu
cd "$(dirname "$0")/.."
kills=20 most=15
[ $# -gt 0 ] && [ "$1" != -- ] && { kills=$1; shift; }
[ $# -gt 0 ] && [ "$1" != -- ] && { most=$1; shift; }
[ $# -gt 0 ] && shift
./bazelw build //benchmarks:kinetics400 //results:compare
folder=$(mktemp -d "${TMPDIR:-/tmp}/kill_soak.XXXXXX")
benchmark="$PWD/.bazel/bin/benchmarks/kinetics400"
echo "kill_soak: $folder" >&2
"$benchmark" "$@" --output_dir="$folder/whole" >"$folder/whole.log" 2>&1
for kill in $(seq "$kills"); do
  "$benchmark" "$@" --output_dir="$folder/killed" >>"$folder/killed.log" 2>&1 &
  child=$!
  sleep "$((1 + RANDOM % most)).$((RANDOM % 10))"
  if kill -KILL "$child" 2>/dev/null; then
    echo "kill_soak: kill $kill of $kills" >&2
  else
    echo "kill_soak: the run had ended before kill $kill" >&2
  fi
  wait "$child" 2>/dev/null || true
done
"$benchmark" "$@" --output_dir="$folder/killed" >>"$folder/killed.log" 2>&1
.bazel/bin/results/compare --exact "$folder/whole" "$folder/killed"
