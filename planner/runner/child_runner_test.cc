#include "planner/runner/child_runner.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"
#include "planner/search/search.h"

namespace op3d::planner {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The states S1 and S2 of the published graph, and S0 -> S1, S0 -> S2, S1 -> S2.
TransitionGraph Triangle() {
  TransitionGraph graph = MakePool(PoolOptions());
  graph.mutable_states()->DeleteSubrange(2, graph.states_size() - 2);
  graph.mutable_transitions()->DeleteSubrange(3, graph.transitions_size() - 3);
  graph.clear_finals();
  graph.add_finals("S2");
  return graph;
}

absl::StatusOr<SearchOutcome> SearchWith(const std::string& command, const std::string& folder,
                                         int children = 1,
                                         absl::Duration timeout = absl::Minutes(1)) {
  ChildRunnerOptions options;
  options.command = command;
  options.answer_timeout = timeout;
  options.retries = 1;
  std::vector<std::unique_ptr<ChildRunner>> runners;
  std::vector<StateRunner*> pointers;
  for (int i = 0; i < children; ++i) {
    runners.push_back(std::make_unique<ChildRunner>(options));
    pointers.push_back(runners.back().get());
  }
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(4);
  rule.set_max_epochs(4);
  SearchOptions search;
  search.folder = folder;
  return Search(Triangle(), rule, pointers, search);
}

std::string Example() { return absl::StrCat("python3 ", *RunfilePath("planner/example/train.py")); }

// A child in the shell: gives `answer` to every request; $n is the number of requests so far, $line
// the request.
std::string Shell(const std::string& answer) {
  return absl::StrCat("sh -c 'n=0; while read -r line; do n=$((n+1)); ", answer, "; done'");
}

TEST(ChildRunnerTest, TheExampleGivesTheSamePlanForAnyNumberOfChildren) {
  ASSERT_OK_AND_ASSIGN(const SearchOutcome one, SearchWith(Example(), TestFolder("one")));
  ASSERT_EQ(one.edges_size(), 3);
  EXPECT_GT(one.plan().value(), 0.4);  // three classes
  for (int children : {2, 3}) {
    const std::string folder = TestFolder(absl::StrCat("children", children));
    ASSERT_OK_AND_ASSIGN(const SearchOutcome many, SearchWith(Example(), folder, children));
    EXPECT_TRUE(MessageDifferencer::Equals(one, many)) << children;
    // The only kept file is the weights of the plan's last edge.
    int kept = 0;
    for (const EdgeOutcome& edge : many.edges()) {
      const std::string of_edge = JoinPath(folder, absl::StrCat(edge.from(), "-", edge.to()));
      if (!FolderExists(of_edge)) continue;
      ++kept;
      const auto left = ListFolder(of_edge);
      ASSERT_THAT(left, IsOk());
      EXPECT_EQ(left->size(), 1);
    }
    EXPECT_EQ(kept, 1);
  }
}

TEST(ChildRunnerTest, ALostChildIsReplacedAndThePlanStays) {
  ASSERT_OK_AND_ASSIGN(const SearchOutcome calm, SearchWith(Example(), TestFolder("calm")));
  // Every child answers two requests, then ends in the middle of its work.
  const std::string mortal = absl::StrCat(
      "sh -c '(read -r a; printf \"%s\\n\" \"$a\"; read -r a; printf \"%s\\n\" \"$a\") | ",
      Example(), "'");
  ASSERT_OK_AND_ASSIGN(const SearchOutcome stormy, SearchWith(mortal, TestFolder("stormy"), 2));
  EXPECT_TRUE(MessageDifferencer::Equals(calm, stormy));
}

// A scheduler stops each of four children, whose fifth successor answers.
TEST(ChildRunnerTest, AStoppedChildThatHadTimeToSaveIsNoRetry) {
  for (const bool had_time : {true, false}) {
    EdgeTask task;
    task.set_name("S0-S1");
    task.set_folder(TestFolder(absl::StrCat("stopped", had_time)));
    ChildRunnerOptions options;
    options.command = absl::StrCat("cd ", task.folder(), "; echo x >>stopped; ",
                                   "[ $(wc -l <stopped) -le 4 ] && kill -TERM $$; ",
                                   Shell("echo \"{\\\"epoch\\\":1,\\\"performance\\\":0.5}\""));
    if (had_time) options.progress = absl::ZeroDuration();
    const auto point = ChildRunner(options).TrainEpoch(task, 1);
    if (had_time) {
      EXPECT_THAT(point, IsOk());
    } else {
      EXPECT_THAT(point, StatusIs(absl::StatusCode::kUnavailable,
                                  HasSubstr("tried 3 times: the child was ended by signal 15")));
    }
  }
}

TEST(ChildRunnerTest, EveryFaultIsASentence) {
  struct Case {
    const char* answer;
    absl::StatusCode code;
    const char* words;
  };
  const Case cases[] = {
      {"echo \"{\\\"epoch\\\": 1}\"", absl::StatusCode::kInvalidArgument, "has no \"performance\""},
      {"echo \"{\\\"epoch\\\": 7, \\\"performance\\\": 0.5}\"", absl::StatusCode::kInvalidArgument,
       "is for another epoch than 1"},
      {"echo \"{\\\"epoch\\\": 1, \\\"protocol\\\": 2}\"", absl::StatusCode::kInvalidArgument,
       "is in protocol 2; this planner speaks 1"},
      {"echo \"{\\\"error\\\": \\\"out of memory\\\"}\"", absl::StatusCode::kAborted,
       "the child gave up: out of memory"},
      {"echo \"{torn\"", absl::StatusCode::kInvalidArgument, "cannot be read"},
      {"exit 2", absl::StatusCode::kInvalidArgument, "exit code 2, wrong use or bad input"},
      {"exit 127", absl::StatusCode::kInvalidArgument,
       "cannot be run (exit code 127)"},
      {"exit 5", absl::StatusCode::kUnavailable, "tried 2 times: the child ended with exit code 5"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.answer);
    EXPECT_THAT(SearchWith(Shell(test.answer), TestFolder("fault")),
                StatusIs(test.code, AllOf(HasSubstr("S0-S1, epoch 1"), HasSubstr(test.words))));
  }
  EXPECT_THAT(SearchWith("cat > /dev/null", TestFolder("silent"), 1, absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("no answer within 50ms")));
  // What a child prints meanwhile does not change the limit that is named.
  EXPECT_THAT(SearchWith("echo starting; cat > /dev/null", TestFolder("talking"), 1,
                         absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("no answer within 50ms")));
}

// S0-S1 fails in every way that a child can report; the plan is the path without S1.
TEST(ChildRunnerTest, AnEdgeThatFailsDoesNotEndTheSearch) {
  struct Case {
    const char* members;
    const char* failure;
  };
  const Case cases[] = {
      {R"("performance": NaN)", "epoch 1: the performance is not a finite number: training has"},
      {R"("performance": -Infinity)", "the performance is not a finite number"},
      {R"("performance": -nan)", "the performance is not a finite number"},
      {R"("performance": null)", "the performance is not a finite number"},
      {R"("note": "NaN \" NaN", "performance": inf)", "the performance is not a finite number"},
      {R"("performance": 0.5, "loss": NaN)", "the loss is not a finite number"},
      {R"("performance": -0.5)", "the performance is -0.5, but a performance must be at least 0"},
      {R"("error": "exploded", "failed": true)", "epoch 1: exploded"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.members);
    const std::string folder = TestFolder("failing");
    const std::string script = JoinPath(folder, "child.py");
    ASSERT_THAT(WriteFileAtomically(script, absl::StrCat(R"py(
import json, sys
for line in sys.stdin:
    a = json.loads(line)
    e = a["epoch"]
    if a["edge"] == "S0-S1":
        print(r'{"epoch": %d, )py",
                                                         test.members, R"py(}' % e, flush=True)
    else:
        print(json.dumps({"epoch": e, "performance": 0.5, "loss": 1}), flush=True)
)py")),
                IsOk());
    ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                         SearchWith(absl::StrCat("python3 ", script), JoinPath(folder, "run")));
    ASSERT_EQ(outcome.edges_size(), 3);
    EXPECT_EQ(outcome.edges(0).ending(), EdgeOutcome::FAILED);
    EXPECT_THAT(outcome.edges(0).failure(), HasSubstr(test.failure));
    EXPECT_EQ(outcome.edges(2).ending(), EdgeOutcome::UNREACHED);
    EXPECT_EQ(outcome.plan().path_size(), 2);
  }
}

// Good at epoch 1, then at the chance level that the child reports.
TEST(ChildRunnerTest, AChildSaysWhatGuessingScores) {
  const std::string child = Shell(
      "case \"$line\" in *keep*) p=0;; *S0-S1*) p=0.5; [ $n -gt 1 ] && p=0.21;; *) p=0.5;; esac; "
      "e=${line#*\\\"epoch\\\":}; e=${e%%,*}; "
      "echo \"{\\\"epoch\\\": $e, \\\"performance\\\": $p, \\\"chance\\\": 0.2}\"");
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome, SearchWith(child, TestFolder("chance")));
  EXPECT_EQ(outcome.edges(0).ending(), EdgeOutcome::FAILED);
  EXPECT_THAT(outcome.edges(0).failure(),
              HasSubstr("epochs 2 and 3 score 0.2100 and 0.2100, no better than guessing (0.2000), "
                        "after 0.5000 at epoch 1"));
}

TEST(ChildRunnerTest, WeightsThatAreGoneAreMissedBeforeAnythingIsDone) {
  ChildRunnerOptions options;
  options.command = "false";
  ChildRunner runner(options);
  EdgeTask task;
  task.set_name("S1-S2");
  *task.mutable_state() = Triangle().states(1);
  task.set_source(JoinPath(TestFolder("gone"), "S0-S1"));
  task.set_folder(JoinPath(TestFolder("gone"), "S1-S2"));
  EXPECT_THAT(runner.Measure(task), StatusIs(absl::StatusCode::kFailedPrecondition,
                                             HasSubstr("start from are gone: there is no folder")));
  EXPECT_FALSE(FolderExists(task.folder()));
  task.clear_source();
  EXPECT_THAT(runner.TrainEpoch(task, 2), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                   HasSubstr("trained so far are gone")));
}

}  // namespace
}  // namespace op3d::planner
