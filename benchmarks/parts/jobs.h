// A run's trainings and tests in child processes, several at once, also on other machines: the same
// program, started by a launcher, in the same folder.
//
//   JobOptions jobs;
//   jobs.count = 4;
//   jobs.launcher = "env CUDA_VISIBLE_DEVICES={job}";
//   JobChildren children(jobs, run_folder);
//   OP3D_RETURN_IF_ERROR(children.Do(/*worker=*/0, "train_long_run", job, on_epoch));
//
// A child (Serve()) gets one request per line on its standard input and answers on its standard
// output: edges of a search by the protocol of planner/runner/child_runner.h; other work as
// {"request": "job", "file": "jobs/NAME.textproto"} with a Job (job.proto) in that file of the run's
// folder, answered by lines of JobAnswer.  All files are in the run's folder, which every machine
// must see.  The parent waits, estimates knees and writes the record; it needs no GPU.
//
// A child started by torchrun or srun may be several processes that train together
// (op3d/distributed/rank_environment.h).  With one process a job the record is equal to that of a
// run without children, to the bit.
#ifndef OP3D_BENCHMARKS_PARTS_JOBS_H_
#define OP3D_BENCHMARKS_PARTS_JOBS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/parts/job.pb.h"
#include "benchmarks/parts/run_context.h"
#include "planner/runner/child_process.h"
#include "planner/runner/child_runner.h"
#include "results/record/run_record.pb.h"

namespace op3d::benchmarks {

struct JobOptions {
  // The number of children at once; 0 = the run has none and does everything itself.
  int count = 0;
  // A prefix of the children's command; {job} = the child's number, in [0, count).
  std::string launcher;
  // The program and the flags with which it works on the same run: a command of the shell.
  std::string command;
  // How often a job is started again with a new child, if a child was lost before it had trained a
  // further epoch.
  int retries = 2;
};

// What a child compares with its parent: the program and the lists of videos, as flags.
std::string ChildIdentity(const BenchmarkData& data);

// What a child does: the edges of a pool, or everything else.
std::string EdgeService(bool planned, const std::string& pool);
inline constexpr char kJobService[] = "jobs";

// A runner of a search's edges in child `job`.
planner::ChildRunnerOptions EdgeChild(const JobOptions& options, const std::string& service,
                                      int job);

// Children for trainings and tests.  Each worker uses its own child, from one thread at a time.
class JobChildren {
 public:
  JobChildren(const JobOptions& options, const std::string& run_folder);

  // Does `job` in worker's child, which is started if necessary; worker in [0, count).  `name` is a
  // file name, different for different jobs.  Calls `on_epoch` as RecipeRun::Train(), each epoch
  // once.  Unavailable or DeadlineExceeded if children were lost again and again; Aborted with the
  // child's own error; Cancelled on a signal.
  absl::Status Do(int worker, const std::string& name, const Job& job,
                  const std::function<void(int, int, double)>& on_epoch);
  // Ends the worker's child, in the thread that used it.
  void Close(int worker);

 private:
  absl::Status DoOnce(int worker, const std::string& line,
                      const std::function<void(int, int, double)>& on_epoch);

  const JobOptions options_;
  const std::string run_folder_;
  std::vector<std::unique_ptr<planner::ChildProcess>> children_;
};

// Adds the time and memory that children reported for the run in `folder`: seconds are summed, and
// of the memory the sum of the children that ran at once.
absl::Status AddChildrenTime(const std::string& folder, TimeSplit* time);
// Forgets the reports of an earlier process.
void RemoveChildrenTime(const std::string& folder);

// Serves one parent on standard input and output, as child number `number`.  `identity` is the
// parent's ChildIdentity(); InvalidArgument if this process has another program or other lists.
absl::Status Serve(const RunContext& context, const std::string& service,
                   const std::string& identity, int number);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_JOBS_H_
