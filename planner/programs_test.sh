#!/bin/bash
# The two programs from outside: what they print, and their exit codes.
set -u
knee=$PWD/$1
plan=$PWD/$2
cd "$TEST_TMPDIR" || exit 1

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# expect CODE PATTERN COMMAND...: the exit code, and a pattern in what is printed.
expect() {
  local code=$1 pattern=$2 got
  shift 2
  got=$("$@" 2>&1)
  local status=$?
  [[ $status == "$code" ]] || fail "$* gave $status, not $code: $got"
  grep -q -- "$pattern" <<<"$got" || fail "$* does not print '$pattern': $got"
}

# A parabola that is highest at epoch 6.
{
  echo epoch,performance
  for epoch in $(seq 0 20); do
    echo "$epoch,$(awk "BEGIN { print 0.8 - 0.001 * ($epoch - 6) ^ 2 }")"
  done
} >curve.csv

expect 0 '^knee      epoch 6, f = 0.8$' "$knee" curve.csv
expect 0 '^stop      yes: 20 epochs' "$knee" curve.csv
expect 0 '^stop      no: 20 epochs trained, stop at 26' "$knee" curve.csv --attempt_epochs=20
expect 0 '"knee":6,"value":0.[78][0-9]*,"stop":true,"knee_interval":\[6,6\]}$' "$knee" curve.csv --json
expect 2 'one file is expected' "$knee"
expect 2 'no.csv' "$knee" no.csv
expect 2 'must be at least 1' "$knee" curve.csv --attempt_epochs=0
printf 'epoch,performance\n0,0.1\n1,nan\n' >nan.csv
expect 2 'nan.csv: the performance of epoch 1 is nan' "$knee" nan.csv

expect 0 'cs plan, 220 epochs' "$plan" show kinetics400
expect 0 'S9   64 frames / 2  lr 4e-05     18 epochs  batch 4 x 64  BatchNorm frozen' \
  "$plan" show kinetics400
expect 2 'no_such_plan' "$plan" show no_such_plan
expect 2 'no search in' "$plan" status "$TEST_TMPDIR"
expect 2 'there is no sub-command "dance"' "$plan" dance .
expect 2 'two words are expected' "$plan"
