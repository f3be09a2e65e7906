# For tests that call programs: `source "$PWD/tools/expect.sh"`, with //tools:expect.sh as
# data.

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# expect CODE PATTERN COMMAND...: checks the exit code, and that the output matches the pattern.
expect() {
  local code=$1 pattern=$2 got
  shift 2
  got=$("$@" 2>&1)
  local status=$?
  [[ $status == "$code" ]] || fail "$* gave $status, not $code: $got"
  grep -q -- "$pattern" <<<"$got" || fail "$* does not print '$pattern': $got"
}
