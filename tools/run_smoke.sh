#!/bin/sh
# Runs a benchmark program once, briefly: it must start, run and end.  Google Benchmark ends with 0
# even after an error, so its output is checked.
set -u
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
case "$output" in *"ERROR OCCURRED"*) exit 1 ;; esac
exit "$status"
