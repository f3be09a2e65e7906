# For the soak tests: sourced, not run.
#
#   kill_at_random SECONDS_AT_MOST FILE_FOR_OUTPUT COMMAND...
#
# Starts the command and kills it with SIGKILL after a random time.  Returns 0 if it was killed, 1
# if it had already ended successfully; ends the script if it failed by itself.
kill_at_random() {
  local most=$1 output=$2
  shift 2
  "$@" >>"$output" 2>&1 &
  local child=$! code=0
  sleep "$(awk -v most="$most" -v random="$RANDOM" 'BEGIN { print most * random / 32768 }')"
  kill -KILL "$child" 2>/dev/null || true
  wait "$child" 2>/dev/null || code=$?
  case $code in
    0) return 1 ;;
    137) return 0 ;;
    *)
      tail -n 5 "$output" >&2
      echo "ended by itself with $code; its output is in $output" >&2
      exit 1
      ;;
  esac
}
