#!/bin/sh
# Runs a benchmark program once, shortly: it must start, run and end.  Google Benchmark ends with 0
# after an error too, so its output is read.
set -u
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
case "$output" in *"ERROR OCCURRED"*) exit 1 ;; esac
exit "$status"
