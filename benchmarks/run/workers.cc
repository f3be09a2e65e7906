#include "benchmarks/run/workers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::benchmarks {

void TaskQueue::Add(Task task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
}

absl::Status TaskQueue::Run(int threads, const std::function<void(int)>& end) {
  OnThreads(threads, [&](int64_t worker) {
    Work(static_cast<int>(worker));
    if (end != nullptr) end(static_cast<int>(worker));
  });
  absl::MutexLock lock(&mutex_);
  return status_;
}

void TaskQueue::Work(int worker) {
  for (;;) {
    Task task;
    {
      absl::MutexLock lock(&mutex_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return !tasks_.empty() || running_ == 0 || !status_.ok();
      };
      mutex_.Await(absl::Condition(&ready));
      if (tasks_.empty() || !status_.ok()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      ++running_;
    }
    const absl::Status status = task(worker);
    absl::MutexLock lock(&mutex_);
    status_.Update(status);
    --running_;
  }
}

Workers::Workers(int threads, const JobOptions& jobs, const std::string& run_folder)
    : threads_(threads), children_count_(jobs.count), children_(jobs, run_folder) {}

int Workers::AtOnce(int tasks) const {
  return std::max(1, std::min(children_count_ > 0 ? children_count_ : threads_, tasks));
}

int Workers::Threads(int tasks) const { return std::max(1, threads_ / AtOnce(tasks)); }

absl::Status Workers::Train(int worker, const RecipeTask& task, RecipeRun* run,
                            const std::function<void(int, int, double)>& on_epoch) {
  if (children_count_ == 0) return run->Train(on_epoch);
  Job job;
  *job.mutable_train() = task;
  return children_.Do(worker, absl::StrCat("train_", task.recipe().name()), job, on_epoch);
}

absl::StatusOr<RecipeResult> Workers::Test(int worker, const RecipeTask& task, RecipeRun* run,
                                           const BenchmarkData& data, int threads) {
  if (children_count_ > 0) {
    Job job;
    *job.mutable_test() = task;
    OP3D_RETURN_IF_ERROR(children_.Do(worker, absl::StrCat("test_", task.recipe().name()), job,
                                      [](int, int, double) {}));
  }
  // The result of a child is read from its file.
  return run->Test(data.evaluation, data.labels, threads);
}

absl::StatusOr<FinalModel> Workers::Model(const RunContext& context, bool planned,
                                          const SearchOutcome& best) {
  if (children_count_ > 0) {
    Job job;
    job.mutable_model()->set_planned(planned);
    *job.mutable_model()->mutable_search() = best;
    const absl::Status status = children_.Do(0, planned ? "planned_model" : "published_model", job,
                                             [](int, int, double) {});
    Close(0);
    OP3D_RETURN_IF_ERROR(status);
  }
  return ChooseModel(context, planned, best);
}

void Workers::Close(int worker) {
  if (children_count_ > 0) children_.Close(worker);
}

}  // namespace op3d::benchmarks
