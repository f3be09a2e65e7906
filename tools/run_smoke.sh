#!/bin/sh
# Runs a benchmark program once, shortly: it must start, run and end.
exec "$@"
