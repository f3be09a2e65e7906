#!/bin/bash
# Runs searches through a real Slurm on this one machine, disturbs them, and compares the results
# with plain runs:
#
#   apt-get install slurm-wlm munge
#   tools/slurm_check.sh                      # as root; some minutes
#
# A controller, two nodes by two slurmd, and munge with a key of its own run from a folder under
# ${TMPDIR:-/tmp}; at the end, and after Ctrl-C, they are stopped and the folder is removed.  A Slurm
# of this machine is not touched.  The last line is "slurm_check: all equal"; otherwise the check
# that failed, and the exit code is 1.  torchrun is $TORCHRUN or the one in the path; without one a
# loop starts the ranks with torchrun's variables.  Not part of the tests.
#
#   1. one rank a job, --jobs=2: a job is killed, a node goes down, the jobs are pre-empted by one of
#      a higher partition, a node is drained.  Plan, curves and weights must equal a plain run's
#   2. two ranks a job: on both nodes by srun, one rank is killed; as steps of one allocation; by
#      torchrun.  All must be equal
#   3. //op3d:train by two ranks: by torchrun; by srun, stopped by SIGTERM and started again
#   4. a benchmark with --jobs=2, of which one is killed: the record must equal that of one process
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "slurm_check: FAILED: $*" >&2
  exit 1
}
ok() { echo "slurm_check: $*: ok"; }

[ "$(id -u)" = 0 ] || fail "slurmd starts jobs for other users, so this must run as root"
need() { command -v "$1" >/dev/null || fail "there is no $1; install it: apt-get install $2"; }
need munged munge
need slurmctld slurmctld
need slurmd slurmd
for tool in srun salloc scancel scontrol sinfo squeue; do need "$tool" slurm-client; done
need python3 python3
torchrun=${TORCHRUN:-$(command -v torchrun || true)}
starter=${torchrun:-a loop with the variables of torchrun}

./bazelw build //op3d:train //planner:plan //benchmarks:benchmark_program //results/compare \
  //data/synthetic:kinetics400_tiny
folder=$(mktemp -d "${TMPDIR:-/tmp}/slurm_check.XXXXXX")
# From here on every command means this Slurm and no other.
export SLURM_CONF="$folder/slurm.conf"
search_process=""
clean() {
  trap - EXIT INT TERM
  [ -z "$search_process" ] || kill "$search_process" 2>/dev/null || true
  scancel --user="$(id -un)" --signal=KILL 2>/dev/null || true
  # Nodes first: a slurmd waits for nobody.
  for file in "$folder"/slurmd.*.pid "$folder/slurmctld.pid" "$folder/munged.pid"; do
    [ -s "$file" ] || continue
    daemon=$(cat "$file")
    kill "$daemon" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$daemon" 2>/dev/null && sleep 0.1 || break; done
    kill -KILL "$daemon" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# munged wants a way to its socket.
chmod 711 "$folder"

# ---------------------------------------------------------------- the cluster
host=$(hostname -s)
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
mkdir "$folder/state" "$folder/spool.node1" "$folder/spool.node2"
cat >"$folder/slurm.conf" <<EOF
ClusterName=check
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
ReturnToService=0
KillWait=5
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
StateSaveLocation=$folder/state
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmdLogFile=$folder/slurmd.%n.log
SlurmdSpoolDir=$folder/spool.%n
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port) CPUs=2
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port) CPUs=2
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 GraceTime=20
PartitionName=high Nodes=ALL PriorityTier=10
EOF
# The nodes' names are not names of hosts.
export MASTER_ADDR=127.0.0.1
head -c 128 /dev/urandom >"$folder/munge.key"
chmod 400 "$folder/munge.key"
munged --key-file="$folder/munge.key" --socket="$folder/munge.socket" --seed-file="$folder/seed" \
  --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" || fail "munged does not start"
slurmctld || fail "slurmctld does not start"
for node in node1 node2; do
  slurmd -N "$node" || fail "slurmd does not start; it must be built with --enable-multiple-slurmd"
done
await() { # WHAT SECONDS COMMAND...
  local what=$1 left=$(($2 * 10))
  shift 2
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "no $what in time; $(tail -n 3 "$folder"/*.log 2>/dev/null)"
    sleep 0.1
  done
}
idle_nodes() { [ "$(sinfo --noheader --states=idle --format=%D --partition=low)" = 2 ]; }
await "two idle nodes" 60 idle_nodes
ok "a controller and two nodes"

# ---------------------------------------------------------------- what is run
# A build at the same time must not change them.
cp .bazel/bin/programs/train .bazel/bin/programs/plan .bazel/bin/benchmarks/benchmark_program \
  .bazel/bin/results/compare/compare "$folder"
ln -s "$PWD/.bazel/bin/benchmarks/benchmark_program.runfiles" "$folder"
tiny=$PWD/.bazel/bin/data/synthetic/kinetics400_tiny
train_flags="--settings=$PWD/op3d/train/run/testdata/tiny_run.textproto --device=cpu --threads=1
  --dataset_root=$tiny --index=$folder/index"
# Notes where each child runs, then becomes the child.
cat >"$folder/child.sh" <<EOF
#!/bin/sh
echo "\${SLURMD_NODENAME:-here} \${SLURM_JOB_ID:-0} \${SLURM_PROCID:-0} \$\$" >>"$folder/starts"
exec "$folder/train" --serve $(echo $train_flags)
EOF
# torchrun's variables without torchrun.
cat >"$folder/ranks.sh" <<'EOF'
#!/bin/bash
export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=$1
shift
RANK=1 LOCAL_RANK=1 "$@" </dev/null &
RANK=0 LOCAL_RANK=0 "$@"
code=$?
wait $! || code=1
exit "$code"
EOF
chmod +x "$folder/child.sh" "$folder/ranks.sh"
cat >"$folder/graph.textproto" <<'EOF'
pool: "cs" initial: "S0" finals: "C"
states { name: "A" segments: 1 frames_per_segment: 16 stride: 1 learning_rate: 0.02 batch_size: 2 accumulation: 2 }
states { name: "B" segments: 4 frames_per_segment: 4 stride: 1 learning_rate: 0.02 batch_size: 2 accumulation: 2 }
states { name: "C" segments: 1 frames_per_segment: 32 stride: 1 learning_rate: 0.01 batch_size: 2 accumulation: 2 }
transitions { from: "S0" to: "A" } transitions { from: "S0" to: "B" } transitions { from: "S0" to: "C" }
transitions { from: "A" to: "B" } transitions { from: "A" to: "C" } transitions { from: "B" to: "C" }
EOF

around="" # what a search runs in
search() { # NAME EPOCHS FLAGS...
  local name=$1 epochs=$2
  shift 2
  $around "$folder/plan" search --graph="$folder/graph.textproto" --attempt_epochs="$epochs" \
    --max_epochs=$((3 * epochs)) --max_epochs_from_initial=$((3 * epochs)) --keep_all_weights \
    --runner="$folder/child.sh" --output_dir="$folder/$name" "$@" >"$folder/$name.log" 2>&1
}
# Starts it and goes on.
begin_search() {
  : >"$folder/starts"
  search "$@" &
  search_process=$!
}
end_search() { # NAME
  wait "$search_process" || fail "the search $1 ended with $?: $(tail -n 5 "$folder/$1.log")"
  search_process=""
}
# The plan, every edge's curve without times, and the kept weights.
same() { # NAME NAME
  cmp "$folder/$1/plan.textproto" "$folder/$2/plan.textproto" || fail "$2 has another plan than $1"
  for name in "$1" "$2"; do
    "$folder/plan" show "$folder/$name" --output="$folder/$name.json" >/dev/null
    python3 - "$folder/$name.json" >"$folder/$name.curves" <<'EOF'
import json, sys
def timeless(value):
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if not k.lower().endswith("seconds")}
    return [timeless(v) for v in value] if isinstance(value, list) else value
search = timeless(json.load(open(sys.argv[1])))
assert len(search["edges"]) == 6, search["edges"]
json.dump(search, sys.stdout, indent=1, sort_keys=True)
EOF
    (cd "$folder/$name/journal/cs" && sha256sum -- */*.safetensors) >>"$folder/$name.curves"
  done
  cmp "$folder/$1.curves" "$folder/$2.curves" || fail "$2 has other curves or weights than $1"
}

# ---------------------------------------------------------------- 1. one rank a job
begin_search plain 5
end_search plain
ok "a plain search, $(grep -c '"point"' "$folder/plain/journal/cs/journal.jsonl") measured epochs"

points() { cat "$folder"/disturbed/journal/cs/journal.jsonl 2>/dev/null | grep -c '"point"' || true; }
starts() { wc -l <"$folder/starts"; }
# Some epochs without disturbance, so that no request loses more children than it may.
breathe() {
  local before
  before=$(points)
  more_points() {
    kill -0 "$search_process" 2>/dev/null || fail "the search ended before all disturbances"
    [ "$(points)" -gt $((before + 3)) ]
  }
  await "progress of the search" 120 more_points
}
running() { squeue --noheader --states=R --partition=low --format=%A "$@"; }
a_job_runs() { [ -n "$(running "$@")" ]; }
more_starts() { [ "$(starts)" -gt "$1" ]; }

children_replaced() { grep -c 'trying again' "$folder/disturbed.log" || true; }
# Jobs that are submitted from now on run on this node, at least one.
only_on() {
  local newest
  newest=$(squeue --noheader --format=%A | sort -n | tail -n 1)
  newer() { awk -v newest="${newest:-0}" '$2 > newest' "$folder/starts"; }
  one_newer() { [ -n "$(newer)" ]; }
  await "new child on $1" 120 one_newer
  newer | grep -v "^$1 " && fail "a child was started on another node than $1"
  return 0
}

begin_search disturbed 5 --jobs=2 --launcher='srun --ntasks=1 --cpus-per-task=2'
breathe
await "running job" 60 a_job_runs
count=$(starts) job=$(running | head -n 1)
scancel --signal=KILL "$job"
await "new child for the killed one" 60 more_starts "$count"
ok "a job was killed"

breathe
await "running job on node1" 60 a_job_runs --nodelist=node1
replaced=$(children_replaced)
scontrol update nodename=node1 state=down reason=check
was_replaced() { [ "$(children_replaced)" -gt "$replaced" ]; }
await "new child for that of the lost node" 60 was_replaced
only_on node2
scontrol update nodename=node1 state=resume
ok "a node went down, its edge went to the other"

breathe
await "running job" 60 a_job_runs
count=$(starts)
srun --quiet --partition=high --nodes=2 --ntasks=2 --exclusive true
await "new child for the pre-empted one" 60 more_starts "$count"
grep -q 'stopped by SIGTERM' "$folder/disturbed.log" || fail "no child was stopped by SIGTERM"
ok "both jobs were pre-empted"

breathe
scontrol update nodename=node2 state=drain reason=check
only_on node1
scontrol update nodename=node2 state=resume
ok "a node was drained, its edges went to the other"
end_search disturbed
same plain disturbed
ok "plan, curves and weights of the disturbed search equal those of the plain one, $(children_replaced) children replaced"

# ---------------------------------------------------------------- 2. two ranks a job
begin_search nodes 2 --jobs=2 --launcher='srun --nodes=2 --ntasks=2'
both_train() {
  for edge in S0-A S0-B; do
    grep -q "\"edge\":\"$edge\",\"point\":{\"epoch\":1," "$folder/nodes/journal/cs/journal.jsonl" 2>/dev/null || return 1
  done
}
await "first epochs of two edges" 120 both_train
for rank in $(awk '$3 == 1 { print $4 }' "$folder/starts") none; do
  [ "$rank" != none ] || fail "both jobs had ended before one was killed"
  kill -KILL "$rank" 2>/dev/null && break
done
end_search nodes
grep -q 'rank 1 .*has died' "$folder/nodes.log" || fail "nobody says that rank 1 has died"
grep -q 'trying again' "$folder/nodes.log" || fail "the edge of the killed rank was not tried again"
ok "edges by two ranks on two nodes, one rank killed"

around="salloc --quiet --ntasks=4"
begin_search steps 2 --jobs=2 --launcher='srun --ntasks=2 --exact --overlap' --retries=0
end_search steps
around=""
same nodes steps
ok "the same as steps of one allocation"
if [ -n "$torchrun" ]; then
  launcher="$torchrun --nproc-per-node=2 --no-python --master-port=$(free_port)"
else
  launcher="$folder/ranks.sh $(free_port)"
fi
begin_search ranks 2 --launcher="$launcher"
end_search ranks
same nodes ranks
ok "the same by $starter"

# ---------------------------------------------------------------- 3. train by two ranks
train() { # NAME LAUNCHER...
  local name=$1
  shift
  "$@" "$folder/train" $train_flags --output_dir="$folder/$name" >>"$folder/$name.log" 2>&1
}
# The lines about steps and epochs, without times, and the weights.
results() {
  grep '"state":' "$folder/$1/log.jsonl" | sed 's/,"volatile":{[^}]*}//' >"$folder/$1.results"
  (cd "$folder/$1" && sha256sum weights.safetensors state_*/weights.safetensors) >>"$folder/$1.results"
}
train together $launcher || fail "train by $starter: $(tail -n 3 "$folder/together.log")"
train stopped srun --nodes=2 --ntasks=2 &
process=$!
first_step() { grep -q '"state":' "$folder/stopped/log.jsonl" 2>/dev/null; }
await "first step" 60 first_step
scancel --signal=TERM "$(running | head -n 1)"
wait "$process" && fail "train had ended before it was stopped"
grep -q 'is saved' "$folder/stopped.log" || fail "train did not save: $(tail -n 3 "$folder/stopped.log")"
train stopped srun --nodes=2 --ntasks=2 || fail "train does not go on: $(tail -n 3 "$folder/stopped.log")"
results together
results stopped
cmp "$folder/together.results" "$folder/stopped.results" || fail "train by srun gives other results"
ok "train by two ranks, stopped and started again, equals that by $starter"

# ---------------------------------------------------------------- 4. a benchmark
benchmark() { # NAME FLAGS...
  local name=$1
  shift
  "$folder/benchmark_program" --benchmark=kinetics400 --dataset_root="$tiny" --index="$folder/index" \
    --settings="$settings" --threads=2 --output_dir="$folder/$name" "$@" >"$folder/$name.log" 2>&1
}
settings=$PWD/benchmarks/tests/testdata/tiny.textproto
benchmark one || fail "a benchmark in one process: $(tail -n 3 "$folder/one.log")"
benchmark jobs --jobs=2 --launcher='srun --ntasks=1 --cpus-per-task=2' &
process=$!
first_epoch() { grep -q '"point"' "$folder"/jobs/journal/*/journal.jsonl 2>/dev/null; }
await "first epoch of the benchmark" 120 first_epoch
await "running job" 60 a_job_runs
scancel --signal=KILL "$(running | head -n 1)"
wait "$process" || fail "a benchmark with jobs: $(tail -n 3 "$folder/jobs.log")"
grep -q 'trying again' "$folder/jobs.log" || fail "the killed job was not tried again"
"$folder/compare" --exact "$folder/one" "$folder/jobs" || fail "the records differ"
ok "a benchmark of two jobs, one killed, equals that of one process"
echo "slurm_check: all equal"
