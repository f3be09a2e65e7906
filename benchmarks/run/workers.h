// Where a run's trainings and tests happen: on threads of this process, or in children.
//
//   Workers workers(/*threads=*/4, JobOptions(), run_folder);
//   TaskQueue queue;
//   queue.Add([&](int worker) { return workers.Train(worker, task, run.get(), on_epoch); });
//   OP3D_RETURN_IF_ERROR(
//       queue.Run(workers.AtOnce(/*tasks=*/1), [&](int worker) { workers.Close(worker); }));
#ifndef OP3D_BENCHMARKS_RUN_WORKERS_H_
#define OP3D_BENCHMARKS_RUN_WORKERS_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "benchmarks/parts/final_model.h"
#include "benchmarks/parts/job.pb.h"
#include "benchmarks/parts/jobs.h"
#include "benchmarks/parts/recipe.h"
#include "benchmarks/parts/run_context.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/run_record.pb.h"

namespace op3d::benchmarks {

// Runs tasks in order on a few threads; a task may add others.  Stops at the first error.
class TaskQueue {
 public:
  // `worker`: the thread's number, from 0.
  using Task = std::function<absl::Status(int worker)>;

  // Thread-safe.
  void Add(Task task);

  // Returns when no task is left or after an error, the first one.  `end`, if given, is called at the
  // end of each thread.
  absl::Status Run(int threads, const std::function<void(int)>& end = nullptr);

 private:
  void Work(int worker);

  absl::Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// Each worker is used from one thread at a time.
class Workers {
 public:
  // `threads` of this process, at least 1; with children (jobs.count above 0) they do the work.
  Workers(int threads, const JobOptions& jobs, const std::string& run_folder);

  // The number of tasks at once, of `tasks`; at least 1.
  int AtOnce(int tasks) const;
  // The threads of one of them in this process.
  int Threads(int tasks) const;

  // As RecipeRun::Train() and Test(); `run` was made from `task`.
  absl::Status Train(int worker, const RecipeTask& task, RecipeRun* run,
                     const std::function<void(int, int, double)>& on_epoch);
  absl::StatusOr<RecipeResult> Test(int worker, const RecipeTask& task, RecipeRun* run,
                                    const BenchmarkData& data, int threads);
  // As ChooseModel().
  absl::StatusOr<FinalModel> Model(const RunContext& context, bool planned,
                                   const SearchOutcome& best);

  // Ends the worker's child; for the end of the thread that used it.
  void Close(int worker);

 private:
  const int threads_;
  // At once; 0 = none.
  const int children_count_;
  JobChildren children_;
};

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_WORKERS_H_
