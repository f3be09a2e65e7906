#!/bin/bash
# Trains over a network with a real link, cuts it, and compares the result with a plain run:
#
#   tools/link_check.sh                       # as root; a few minutes
#
# Two hosts are two network namespaces, joined by a bridge in a third one; a run's folder is shared.
# Ranks 0 and 1 are on the first host, rank 2 on the second.  In the middle of the training the
# second host's link is cut: within 30 s every rank must end and say which one was lost.  With the
# link whole again, the same command must go on from the checkpoint and end with the bits of a run
# that nobody disturbed.  At the end, and after Ctrl-C, namespaces and folder are removed.  The last
# line is "link_check: all equal"; otherwise what failed, and the exit code is 1.  Not part of the
# tests.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "link_check: FAILED: $*" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || fail "only root can make network namespaces"
command -v ip >/dev/null || fail "there is no ip; install it: apt-get install iproute2"

./bazelw build //op3d:train //data/synthetic:kinetics400_tiny
folder=$(mktemp -d "${TMPDIR:-/tmp}/link_check.XXXXXX")
name=op3d$$
ranks=()
clean() {
  trap - EXIT INT TERM
  for rank in ${ranks[@]+"${ranks[@]}"}; do kill -KILL "$rank" 2>/dev/null || true; done
  for space in one two switch; do ip netns delete "$name$space" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for space in one two switch; do
  ip netns add "$name$space" || fail "this machine makes no network namespaces"
  ip -n "$name$space" link set lo up
done
ip -n "${name}switch" link add name bridge type bridge
ip -n "${name}switch" link set bridge up
number=0
for space in one two; do
  number=$((number + 1))
  ip -n "$name$space" link add name wire type veth peer name "$space" netns "${name}switch"
  ip -n "$name$space" address add "10.99.0.$number/24" dev wire
  ip -n "$name$space" link set wire up
  ip -n "${name}switch" link set "$space" master bridge up
done

# A build at the same time must not change it.
cp .bazel/bin/programs/train "$folder"
train=("$folder/train" --settings="$PWD/op3d/train/run/testdata/tiny_run.textproto" --device=cpu
  --threads=1 --dataset_root="$PWD/.bazel/bin/data/synthetic/kinetics400_tiny" --index="$folder/index"
  --set='steps[S1].state.accumulation=3' --set='steps[S2].state.accumulation=3'
  --set='steps[S1].epochs=12')
# Starts the three ranks; their process ids are in `ranks`, their output in NAME.0, NAME.1, NAME.2.
start() { # NAME
  ranks=()
  local rank space
  for rank in 0 1 2; do
    space=one
    [ "$rank" != 2 ] || space=two
    RANK=$rank WORLD_SIZE=3 LOCAL_RANK=$((rank % 2)) MASTER_ADDR=10.99.0.1 MASTER_PORT=29500 \
      ip netns exec "$name$space" "${train[@]}" --output_dir="$folder/$1" >"$folder/$1.$rank" 2>&1 &
    ranks+=($!)
  done
}
finish() { # NAME
  local rank
  for rank in 0 1 2; do
    wait "${ranks[$rank]}" || fail "rank $rank of $1: $(tail -n 3 "$folder/$1.$rank")"
  done
  ranks=()
}
# The lines about steps and epochs, without times, and the weights.
results() { # NAME
  grep '"state":' "$folder/$1/log.jsonl" | sed 's/,"volatile":{[^}]*}//'
  (cd "$folder/$1" && sha256sum weights.safetensors state_*/weights.safetensors)
}

start whole
finish whole
results whole >"$folder/whole.results"
echo "link_check: three ranks on two hosts, $(grep -c '"state":' "$folder/whole/log.jsonl") steps and epochs: ok"

start cut
for _ in $(seq 600); do
  [ "$(grep -c '"state":' "$folder/cut/log.jsonl" 2>/dev/null || true)" -gt 8 ] 2>/dev/null && break
  sleep 0.1
done
ip -n "${name}switch" link set two down
start_of_cut=$SECONDS
grep '"state":' "$folder/cut/log.jsonl" >"$folder/before"
for rank in 0 1 2; do
  while kill -0 "${ranks[$rank]}" 2>/dev/null; do
    [ $((SECONDS - start_of_cut)) -le 30 ] || fail "rank $rank has not ended 30 s after the cut"
    sleep 0.1
  done
  wait "${ranks[$rank]}" && fail "rank $rank had ended before the link was cut"
  lost=2
  [ "$rank" != 2 ] || lost=0
  grep "rank $lost.* has died" "$folder/cut.$rank" || fail "rank $rank does not say which rank it lost: $(tail -n 3 "$folder/cut.$rank")"
  echo "link_check: rank $rank has ended at most $((SECONDS - start_of_cut + 1)) s after the cut: ok"
done
ranks=()
[ ! -e "$folder/cut/weights.safetensors" ] || fail "the training had ended before the cut"

ip -n "${name}switch" link set two up
start cut
finish cut
results cut >"$folder/cut.results"
cmp "$folder/whole.results" "$folder/cut.results" || fail "the training that was cut has other results"
echo "link_check: the training that was cut goes on after $(wc -l <"$folder/before") lines and ends with the same bits: ok"
echo "link_check: all equal"
