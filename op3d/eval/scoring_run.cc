#include "op3d/eval/scoring_run.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d {
namespace {

// "threads: 2' there, 'threads: 3' here": the first line that differs.
std::string FirstDifference(const std::string& there, const std::string& here) {
  const std::vector<std::string> a = absl::StrSplit(there, '\n'), b = absl::StrSplit(here, '\n');
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string first = i < a.size() ? a[i] : "", second = i < b.size() ? b[i] : "";
    if (first != second) return absl::StrCat("'", first, "' there, '", second, "' here");
  }
  return "nothing differs";
}

// One shard of a running test.
class Run {
 public:
  Run(Network* network, const std::vector<data::Video>& videos, data::FrameStore* frames, int clips,
      const ScoringOptions& options, const ScoringRun& run)
      : network_(network),
        videos_(videos),
        frames_(frames),
        clips_(clips),
        options_(options),
        run_(run),
        share_(ShareThreads(network->device().is_cpu(), options.threads)),
        block_size_(BlockSize(static_cast<int64_t>(videos.size()))),
        blocks_((static_cast<int64_t>(videos.size()) + block_size_ - 1) / block_size_),
        done_(blocks_) {}

  // Reads the blocks that an earlier process has stored.
  absl::Status TakeUp();
  // Scores the rest, with this thread and others.
  absl::Status Score();
  // The whole on shard 0; scores without videos elsewhere.
  absl::StatusOr<TestScores> Gather();

  const ActivitySeconds& seconds() const { return seconds_; }

 private:
  std::string PartPath(int64_t block) const {
    return JoinPath(run_.parts_folder, absl::StrFormat("%06d.safetensors", block));
  }
  int64_t First(int64_t block) const { return block * block_size_; }
  int64_t Last(int64_t block) const {
    return std::min((block + 1) * block_size_, static_cast<int64_t>(videos_.size()));
  }
  // The next block to score, or -1.
  int64_t Take() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ScoreBlock(int64_t block) ABSL_LOCKS_EXCLUDED(mutex_);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Explain(const absl::Status& status) const;

  Network* const network_;
  const std::vector<data::Video>& videos_;
  data::FrameStore* const frames_;
  const int clips_;
  const ScoringOptions& options_;
  const ScoringRun& run_;
  const ThreadShare share_;
  const int64_t block_size_, blocks_;
  // By block: the serialised scores of this shard's finished blocks, for the folder and the others.
  std::vector<std::string> done_;
  std::vector<int64_t> todo_;
  absl::Mutex mutex_;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  // The error of the lowest block that failed.
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  int64_t failed_ ABSL_GUARDED_BY(mutex_) = -1;
  ActivitySeconds seconds_;
};

absl::Status Run::TakeUp() {
  if (!run_.parts_folder.empty()) OP3D_RETURN_IF_ERROR(MakeFolders(run_.parts_folder));
  int64_t videos = 0, earlier = 0;
  for (int64_t block = run_.shard; block < blocks_; block += run_.shards) {
    videos += Last(block) - First(block);
    if (run_.parts_folder.empty() || !FileExists(PartPath(block))) {
      todo_.push_back(block);
      continue;
    }
    OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(PartPath(block)));
    const absl::StatusOr<TestScores> part = ParseTestScores(bytes, PartPath(block));
    if (!part.ok()) {
      Progress::Print(absl::StrCat(part.status().message(), "; its videos are scored again"));
      todo_.push_back(block);
      continue;
    }
    if (part->settings != run_.settings) {
      return absl::FailedPreconditionError(absl::StrCat(
          run_.parts_folder,
          " holds blocks of another test: ", FirstDifference(part->settings, run_.settings),
          "; finish that one, remove the folder or write to another --output"));
    }
    earlier += Last(block) - First(block);
    done_[block] = std::move(bytes);
  }
  if (options_.progress != nullptr) {
    options_.progress->SetTotal(videos * clips_ * 3);
    options_.progress->AddEarlier(earlier * clips_ * 3);
  }
  if (earlier > 0) {
    Progress::Print(absl::StrCat(earlier, " of ", videos,
                                 " videos were scored before; continuing with the rest"));
  }
  return absl::OkStatus();
}

int64_t Run::Take() {
  absl::MutexLock lock(&mutex_);
  if (!status_.ok() || next_ == todo_.size()) return -1;
  return todo_[next_++];
}

absl::Status Run::ScoreBlock(int64_t block) {
  ScoringOptions options = options_;
  options.threads = 0;
  options.loader_threads = share_.loader_threads;
  ActivitySeconds seconds;
  OP3D_ASSIGN_OR_RETURN(
      const ViewScores scores,
      ScorePart(network_, {videos_.begin() + First(block), videos_.begin() + Last(block)}, frames_,
                clips_, options, &seconds));
  for (const std::string& example : scores.examples) {
    Progress::Print(absl::StrCat("left out: ", example));
  }
  TestScores part = Summarise(scores);
  part.settings = run_.settings;
  OP3D_ASSIGN_OR_RETURN(std::string bytes, SerializeTestScores(part));
  if (!run_.parts_folder.empty()) {
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(PartPath(block), bytes));
  }
  absl::MutexLock lock(&mutex_);
  done_[block] = std::move(bytes);
  seconds_ += seconds;
  return absl::OkStatus();
}

void Run::Work() {
  for (int64_t block = Take(); block >= 0; block = Take()) {
    const absl::Status status = ScoreBlock(block);
    if (status.ok()) continue;
    absl::MutexLock lock(&mutex_);
    if (failed_ < 0 || block < failed_) failed_ = block, status_ = status;
  }
}

absl::Status Run::Explain(const absl::Status& status) const {
  if (!absl::IsCancelled(status)) return status;
  int64_t kept = 0;
  for (int64_t block = run_.shard; block < blocks_; block += run_.shards) {
    if (!done_[block].empty()) kept += Last(block) - First(block);
  }
  return absl::CancelledError(
      run_.parts_folder.empty()
          ? absl::StrCat(status.message(),
                         "; nothing was saved: with --output=FILE a test can be resumed")
          : absl::StrCat(status.message(), "; the scores of ", kept, " videos are kept in ",
                         run_.parts_folder, ": the same command resumes from there"));
}

absl::Status Run::Score() {
  OnThreads(std::min<int64_t>(share_.scorers, todo_.size()), [&](int64_t) { Work(); });
  absl::MutexLock lock(&mutex_);
  return Explain(status_);
}

absl::StatusOr<TestScores> Run::Gather() {
  std::vector<TestScores> parts;
  // One block of each shard at a time, to limit the bytes in memory.
  for (int64_t first = 0; first < blocks_; first += run_.shards) {
    const int64_t own = first + run_.shard;
    std::vector<std::string> round = {own < blocks_ ? std::move(done_[own]) : std::string()};
    if (run_.shards > 1) {
      OP3D_ASSIGN_OR_RETURN(round, run_.gather(round[0]));
    }
    if (run_.shard != 0) continue;
    for (int64_t i = 0; i < static_cast<int64_t>(round.size()) && first + i < blocks_; ++i) {
      OP3D_ASSIGN_OR_RETURN(TestScores part,
                            ParseTestScores(std::move(round[i]), PartPath(first + i)));
      parts.push_back(std::move(part));
    }
  }
  return JoinTestScores(parts);
}

}  // namespace

int64_t BlockSize(int64_t videos) {
  return std::max<int64_t>(1, std::min<int64_t>(16, videos / 64));
}

absl::StatusOr<TestScores> ScoreTest(Network* network, const std::vector<data::Video>& videos,
                                     data::FrameStore* frames, int clips,
                                     const ScoringOptions& options, const ScoringRun& run,
                                     ActivitySeconds* seconds) {
  network->SetTraining(false);
  Run test(network, videos, frames, clips, options, run);
  OP3D_RETURN_IF_ERROR(test.TakeUp());
  OP3D_RETURN_IF_ERROR(test.Score());
  *seconds += test.seconds();
  OP3D_ASSIGN_OR_RETURN(TestScores scores, test.Gather());
  if (run.shard == 0 && scores.videos == 0) {
    return absl::DataLossError(absl::StrCat(
        "none of ", videos.size(), " videos could be scored; the first: ",
        scores.broken_examples.empty() ? "none of them decodes" : scores.broken_examples[0]));
  }
  return scores;
}

void RemoveParts(const ScoringRun& run) {
  if (run.parts_folder.empty()) return;
  // Another process may be removing it too; what remains is found by the next test.
  std::error_code ignored;
  std::filesystem::remove_all(run.parts_folder, ignored);
}

}  // namespace op3d
