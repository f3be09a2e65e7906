#!/bin/bash
# Kills a benchmark run at random moments, starts it again each time, and compares its final result
# with that of an uninterrupted run:
#
#   tools/kill_soak.sh [kills=20] [most seconds between kills=15] [-- flags of the benchmark]
#
# Prints "equal" and ends with 0 if every bit is the same.  Folders are under ${TMPDIR:-/tmp}.
set -eu
cd "$(dirname "$0")/.."
. tools/kill_loop.sh
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
  if kill_at_random "$most" "$folder/killed.log" "$benchmark" "$@" --output_dir="$folder/killed"; then
    echo "kill_soak: kill $kill of $kills" >&2
  else
    echo "kill_soak: the run had ended before kill $kill" >&2
  fi
done
"$benchmark" "$@" --output_dir="$folder/killed" >>"$folder/killed.log" 2>&1
.bazel/bin/results/compare/compare --exact "$folder/whole" "$folder/killed"
