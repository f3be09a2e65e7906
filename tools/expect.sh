# For tests that call programs from outside: `source "$PWD/tools/expect.sh"`, with //tools:expect.sh as
# data.

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
