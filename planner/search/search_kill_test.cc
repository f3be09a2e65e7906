// A search that is killed repeatedly ends with the same result as one that is not.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/pool.h"
#include "planner/graphs/transition_graph.h"
#include "planner/search/journal.h"
#include "planner/search/search.h"

namespace op3d::planner {
namespace {

using ::google::protobuf::util::MessageDifferencer;

// "Weights" are a number in a file; an epoch hashes them, so that starting from the wrong ones, or
// training an epoch twice, changes everything afterwards.
class FileRunner : public StateRunner {
 public:
  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override {
    OP3D_ASSIGN_OR_RETURN(const uint64_t source, Source(task));
    return Point(task, 0, source);
  }

  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override {
    OP3D_RETURN_IF_ERROR(MakeFolders(task.folder()));
    if (fails && task.name() == "S2-S4" && epoch == 3) {
      return MarkTrainingFailure(absl::InternalError("nan"), "nan");
    }
    const std::string file = EpochFile(task, epoch);
    if (!FileExists(file)) {
      const auto before = epoch == 1 ? Source(task) : Read(EpochFile(task, epoch - 1));
      if (!before.ok()) return before.status();
      const uint64_t after = Fnv1a64(absl::StrCat(*before, " ", task.name()));
      OP3D_RETURN_IF_ERROR(WriteFileAtomically(file, absl::StrCat(after)));
    }
    OP3D_ASSIGN_OR_RETURN(const uint64_t weights, Read(file));
    return Point(task, epoch, weights);
  }

  absl::Status Finish(const EdgeTask& task, int epoch) override {
    const std::string kept = JoinPath(task.folder(), "weights");
    if (epoch > 0 && FileExists(EpochFile(task, epoch))) {
      if (std::rename(EpochFile(task, epoch).c_str(), kept.c_str()) != 0) {
        return absl::InternalError("rename");
      }
    }
    if (epoch > 0 && !FileExists(kept)) return absl::DataLossError("the weights are gone");
    OP3D_ASSIGN_OR_RETURN(const auto names, ListFolder(task.folder()));
    for (const std::string& name : names) {
      if (name != "weights") OP3D_RETURN_IF_ERROR(RemoveFile(JoinPath(task.folder(), name)));
    }
    return absl::OkStatus();
  }

  // S2-S4, the only edge into S4, fails.
  bool fails = false;

 private:
  static std::string EpochFile(const EdgeTask& task, int epoch) {
    return JoinPath(task.folder(), absl::StrCat("epoch_", epoch));
  }

  static absl::StatusOr<uint64_t> Read(const std::string& path) {
    OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    uint64_t weights = 0;
    if (absl::SimpleAtoi(text, &weights)) return weights;
    return absl::DataLossError(absl::StrCat(path, " is torn"));
  }

  static absl::StatusOr<uint64_t> Source(const EdgeTask& task) {
    if (task.source().empty()) return 1;
    return Read(JoinPath(task.source(), "weights"));
  }

  static CurvePoint Point(const EdgeTask& task, int epoch, uint64_t weights) {
    RandomStream noise(weights, "noise", {task.index()});
    CurvePoint point;
    point.set_epoch(epoch);
    point.set_performance(0.6 + 0.01 * task.index() - 0.2 * std::exp(-0.5 * epoch) - 0.004 * epoch +
                          0.01 * noise.Gaussian());
    return point;
  }
};

struct Case {
  int runners;
  bool race;
  bool fails = false;
};

StoppingRule Rule(bool race) {
  StoppingRule rule;
  rule.set_attempt_epochs(4);
  rule.set_max_epochs_from_initial(12);
  rule.set_max_epochs(8);
  if (race) {
    rule.set_method(StoppingRule::KNEE_INTERVAL);
    rule.set_first_fit_epochs(6);
    rule.set_race(true);
  }
  return rule;
}

absl::StatusOr<SearchOutcome> SearchIn(const std::string& folder, const Case& which) {
  std::vector<FileRunner> workers(which.runners);
  std::vector<StateRunner*> pointers;
  for (FileRunner& worker : workers) {
    worker.fails = which.fails;
    pointers.push_back(&worker);
  }
  SearchOptions options;
  options.folder = folder;
  return Search(MakePool(PoolOptions()), Rule(which.race), pointers, options);
}

// Lines except those of a process that starts or resumes the search, in alphabetical order, because
// with several runners their order is random.
std::vector<std::string> LastingLines(const std::string& folder) {
  std::vector<std::string> text;
  const auto content = ReadJournal(JoinPath(folder, kJournalFile));
  EXPECT_THAT(content, IsOk());
  if (!content.ok()) return text;
  for (const JournalEntry& entry : content->entries) {
    if (!entry.has_opened()) text.push_back(EncodeJournalLine(entry).value_or("?"));
  }
  std::sort(text.begin(), text.end());
  return text;
}

class SearchKillTest : public testing::TestWithParam<Case> {};

TEST_P(SearchKillTest, EndsAsIfNothingHadHappened) {
  const std::string quiet = TestFolder("quiet"), troubled = TestFolder("troubled");
  ASSERT_OK_AND_ASSIGN(const SearchOutcome expected,
                       SearchIn(quiet, {1, GetParam().race, GetParam().fails}));
  int outpaced = 0;
  for (const EdgeOutcome& edge : expected.edges()) {
    outpaced += edge.ending() == EdgeOutcome::OUTPACED;
  }
  EXPECT_EQ(outpaced > 0, GetParam().race);
  EXPECT_EQ(expected.unreached_size(), GetParam().fails ? 1 : 0);

  RandomStream stream(1, "kill", {});
  int kills = 0;
  bool finished = false;
  // Up to 40 processes that are killed early, then one that runs to the end.
  for (int life = 0; life <= 40 && !finished; ++life) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(SearchIn(troubled, GetParam()).ok() ? 0 : 1);
    if (life < 40) {
      ::usleep(static_cast<useconds_t>(1000 + stream.UniformInt(12000)));
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      ++kills;
    } else {
      ASSERT_EQ(WEXITSTATUS(status), 0) << "life " << life;
      finished = true;
    }
  }
  EXPECT_GT(kills, 3);
  ASSERT_TRUE(finished);
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome, SearchIn(troubled, GetParam()));
  EXPECT_TRUE(MessageDifferencer::Equals(outcome, expected));
  EXPECT_EQ(LastingLines(troubled), LastingLines(quiet));
  // The plan's weights are kept, they are equal, and nothing else is left.
  const Plan& plan = expected.plan();
  ASSERT_GT(plan.steps_size(), 0);
  const std::string last = plan.steps(plan.steps_size() - 1).state().name();
  int kept = 0;
  for (const EdgeOutcome& edge : expected.edges()) {
    const std::string name = absl::StrCat(edge.from(), "-", edge.to());
    EXPECT_EQ(FolderExists(JoinPath(quiet, name)), FolderExists(JoinPath(troubled, name))) << name;
    if (!FolderExists(JoinPath(quiet, name))) continue;
    ++kept;
    EXPECT_EQ(edge.to(), last);
    ASSERT_OK_AND_ASSIGN(const auto left, ListFolder(JoinPath(troubled, name)));
    EXPECT_EQ(left, std::vector<std::string>{"weights"});
    EXPECT_EQ(ReadFile(JoinPath(troubled, name + "/weights")).value_or("none"),
              ReadFile(JoinPath(quiet, name + "/weights")).value_or("missing"));
  }
  EXPECT_EQ(kept, 1);
}

INSTANTIATE_TEST_SUITE_P(Runners, SearchKillTest,
                         testing::Values(Case{1, false}, Case{2, false}, Case{7, false},
                                         Case{1, true}, Case{2, true}, Case{7, true},
                                         Case{1, false, true}, Case{3, true, true}));

}  // namespace
}  // namespace op3d::planner
