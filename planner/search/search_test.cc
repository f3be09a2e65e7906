#include "planner/search/search.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/pool.h"
#include "planner/search/journal.h"
#include "planner/testing/scripted_runner.h"

namespace op3d::planner {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// S0 -> A -> B -> C and S0 -> B.
TransitionGraph SmallGraph() {
  const StateSettings pattern = MakePool(PoolOptions()).states(0);
  TransitionGraph graph;
  graph.set_pool("test");
  graph.set_initial("S0");
  for (const char* name : {"A", "B", "C"}) {
    *graph.add_states() = pattern;
    graph.mutable_states(graph.states_size() - 1)->set_name(name);
  }
  const std::pair<const char*, const char*> edges[] = {
      {"S0", "A"}, {"S0", "B"}, {"A", "B"}, {"B", "C"}};
  for (const auto& edge : edges) {
    Transition* transition = graph.add_transitions();
    transition->set_from(edge.first);
    transition->set_to(edge.second);
  }
  graph.add_finals("C");
  return graph;
}

StoppingRule Rule(int attempt, int from_initial, int other) {
  StoppingRule rule;
  rule.set_attempt_epochs(attempt);
  rule.set_max_epochs_from_initial(from_initial);
  rule.set_max_epochs(other);
  return rule;
}

// A parabola with its maximum at `knee`.
double Parabola(int epoch, int knee, double top) { return top - 1e-3 * std::pow(epoch - knee, 2); }

// A: knee 2, 0.5.  B from S0: knee 3, 0.55; from A: skipped, at 0.6.  C: knee 1, 0.7.
double Script(const EdgeTask& task, int epoch) {
  const std::string edge = task.name();
  if (edge == "S0-A") return Parabola(epoch, 2, 0.5);
  if (edge == "S0-B") return Parabola(epoch, 3, 0.55);
  if (edge == "A-B") return Parabola(epoch, 0, 0.6);
  return Parabola(epoch, 1, 0.7);
}

SearchOptions Options(const std::string& name) {
  SearchOptions options;
  options.folder = JoinPath(TestFolder(name), "search");
  options.settings = {"seed: 1"};
  return options;
}

// Point 0 of the first edges is not measured: it is 0, which changes the fit of S0-A and S0-B a
// little.
TEST(SearchTest, TrainsEveryEdgeFromTheKeptWeights) {
  ScriptedRunner runner(Script);
  const SearchOptions options = Options("kept");
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                       Search(SmallGraph(), Rule(5, 40, 40), &runner, options));
  ASSERT_EQ(runner.finished.size(), 4);
  const auto folder = [&options](const char* edge) { return JoinPath(options.folder, edge); };
  EXPECT_EQ(runner.finished[0].folder, folder("S0-A"));
  EXPECT_EQ(runner.finished[0].source_folder, "");
  EXPECT_EQ(runner.finished[1].source_folder, "");
  EXPECT_EQ(runner.finished[2].folder, folder("A-B"));
  EXPECT_EQ(runner.finished[2].source_folder, folder("S0-A"));
  EXPECT_EQ(runner.finished[2].epoch, 0);  // A-B is skipped ...
  EXPECT_EQ(runner.finished[3].folder, folder("B-C"));
  EXPECT_EQ(runner.finished[3].source_folder, folder("S0-A"));  // ... so B holds A's weights
  EXPECT_EQ(runner.finished[3].epoch, 1);
  EXPECT_EQ(runner.measured, 2);

  EXPECT_THAT(outcome.plan().path(), ElementsAre("S0", "A", "B", "C"));
  ASSERT_EQ(outcome.plan().steps_size(), 2);  // without B
  EXPECT_EQ(outcome.plan().steps(0).state().name(), "A");
  EXPECT_EQ(outcome.plan().steps(1).state().name(), "C");
  EXPECT_EQ(outcome.plan().steps(1).epochs(), 1);
  EXPECT_NEAR(outcome.plan().value(), 0.7, 1e-9);
  ASSERT_EQ(outcome.edges_size(), 4);
  EXPECT_EQ(outcome.edges(0).curve(0).performance(), 0);
  EXPECT_NEAR(outcome.edges(2).curve(0).performance(), 0.6, 1e-12);
  EXPECT_EQ(outcome.edges(2).ending(), EdgeOutcome::KNEE_PASSED);
  ASSERT_EQ(outcome.nodes_size(), 3);
  EXPECT_EQ(outcome.nodes(1).state(), "B");
  EXPECT_EQ(outcome.nodes(1).from(), "A");
}

TEST(SearchTest, RecordsEdgesThatEndAtTheBound) {
  ScriptedRunner runner([](const EdgeTask&, int epoch) { return 0.1 + 0.01 * epoch; });
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                       Search(SmallGraph(), Rule(4, 7, 6), &runner, Options("bound")));
  for (const EdgeOutcome& edge : outcome.edges()) {
    EXPECT_EQ(edge.ending(), EdgeOutcome::BOUND);
    EXPECT_EQ(edge.epochs(), edge.from() == "S0" ? 7 : 6);
    EXPECT_EQ(edge.curve_size(), edge.epochs() + 1);
  }
  EXPECT_EQ(runner.trained, 7 + 7 + 6 + 6);
}

TEST(SearchTest, ABoundBeforeAnyFitLeavesNoKnee) {
  ScriptedRunner runner([](const EdgeTask&, int epoch) { return 0.1 + 0.01 * epoch; });
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                       Search(SmallGraph(), Rule(4, 2, 2), &runner, Options("no_fit")));
  EXPECT_FALSE(outcome.edges(0).has_knee());
  EXPECT_EQ(outcome.edges(0).epochs(), 2);
  EXPECT_DOUBLE_EQ(outcome.edges(0).score(), 0.12);
}

TEST(SearchTest, SkipsEdgesWhoseSourceIsUnreachable) {
  TransitionGraph graph = SmallGraph();
  graph.mutable_transitions()->DeleteSubrange(0, 1);  // no way into A
  ScriptedRunner runner(Script);
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                       Search(graph, Rule(5, 40, 40), &runner, Options("unreachable")));
  EXPECT_EQ(outcome.edges_size(), 2);
  EXPECT_THAT(outcome.plan().path(), ElementsAre("S0", "B", "C"));
}

TEST(SearchTest, GoesOnBehindTheLastLineOfTheJournal) {
  const SearchOptions options = Options("resume");
  ScriptedRunner whole(Script);
  ASSERT_OK_AND_ASSIGN(const SearchOutcome expected,
                       Search(SmallGraph(), Rule(5, 40, 40), &whole, options));
  const std::string path = JoinPath(options.folder, kJournalFile);
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  // Every 211th byte: the journal's own test tries every byte.
  for (size_t size = 0; size <= text.size(); size += 211) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text.substr(0, size);
    int points = 0;
    for (size_t at = text.find("{\"point\""); at < size; at = text.find("{\"point\"", at + 1)) {
      const size_t end = text.find('\n', at);
      const bool epoch0 = absl::StrContains(text.substr(at, end - at), "\"epoch\":0,");
      if (end < size && !epoch0) ++points;
    }
    ScriptedRunner rest(Script);
    ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                         Search(SmallGraph(), Rule(5, 40, 40), &rest, options));
    ASSERT_TRUE(MessageDifferencer::Equals(outcome, expected)) << size;
    ASSERT_EQ(rest.trained, whole.trained - points) << size;  // nothing is trained twice
  }
}

TEST(SearchTest, TellsWhatItDoes) {
  SearchOptions options = Options("events");
  std::vector<SearchEvent::Kind> kinds;
  int epochs = 0;
  options.observer = [&](const SearchEvent& event) {
    kinds.push_back(event.kind);
    EXPECT_EQ(event.task != nullptr, event.kind != SearchEvent::kStarted);
    EXPECT_EQ(event.point != nullptr, event.kind == SearchEvent::kEpochDone);
    EXPECT_EQ(event.outcome != nullptr, event.kind == SearchEvent::kEdgeFinished);
    EXPECT_EQ(event.edges_total, 4);
    EXPECT_EQ(event.processes, 1);
    EXPECT_GE(event.epochs_trained, epochs);
    EXPECT_GE(event.epochs_at_worst, event.epochs_trained);
    epochs = event.epochs_trained;
    if (event.kind == SearchEvent::kStarted) {
      EXPECT_EQ(event.epochs_at_worst, 2 * 3 + 2 * 2);
    }
  };
  ScriptedRunner runner(Script);
  ASSERT_THAT(Search(SmallGraph(), Rule(1, 3, 2), &runner, options), IsOk());
  EXPECT_EQ(kinds.front(), SearchEvent::kStarted);
  EXPECT_EQ(kinds.back(), SearchEvent::kEdgeFinished);
  EXPECT_EQ(epochs, runner.trained);
}

TEST(SearchTest, RefusesAFolderOfAnotherSearch) {
  SearchOptions options = Options("other");
  ScriptedRunner runner(Script);
  ASSERT_THAT(Search(SmallGraph(), Rule(5, 40, 40), &runner, options), IsOk());
  options.settings = {"seed: 2"};
  EXPECT_THAT(Search(SmallGraph(), Rule(5, 40, 40), &runner, options),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("seed: 2")));
}

// A-B fails in every possible way; the search continues with the path from S0.
TEST(SearchTest, AnEdgeThatFailsDoesNotEndTheSearch) {
  struct Failing : ScriptedRunner {
    using ScriptedRunner::ScriptedRunner;
    absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override {
      OP3D_RETURN_IF_ERROR(MakeFolders(task.folder()));
      if (task.index() == 2 && epoch == diverges_at) {
        return MarkTrainingFailure(absl::InternalError("in /tmp: the loss is nan"),
                                   "the loss is nan");
      }
      return ScriptedRunner::TrainEpoch(task, epoch);
    }
    absl::Status Abandon(const EdgeTask& task) override {
      abandoned.push_back(task.index());
      return absl::OkStatus();
    }
    int diverges_at = 0;
    std::vector<int> abandoned;
  };
  struct Case {
    const char* name;
    int epoch;
    double performance;
    const char* failure;
    int points;
  };
  const Case cases[] = {
      {"nan", 3, std::numeric_limits<double>::quiet_NaN(), "epoch 3: the performance is nan, not",
       3},
      {"inf", 1, std::numeric_limits<double>::infinity(), "epoch 1: the performance is inf, not",
       1},
      {"negative", 0, -0.125, "epoch 0: the performance is -0.125, but", 0},
      {"marked", 4, 0, "epoch 4: the loss is nan", 4},
      {"collapse", 2, 0, "epochs 2 and 3 score 0.0000 and 0.0000, next to nothing, after 0.6", 4},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const auto script = [&test](const EdgeTask& task, int epoch) {
      const bool fails = task.index() == 2 && epoch >= test.epoch;
      return fails && test.name != std::string("marked") ? test.performance : Script(task, epoch);
    };
    const auto make = [&](Failing* runner) {
      if (test.name == std::string("marked")) runner->diverges_at = test.epoch;
    };
    SearchOptions options = Options(test.name);
    std::vector<std::string> told;
    options.observer = [&told](const SearchEvent& event) {
      if (event.kind == SearchEvent::kEdgeFinished) told.push_back(event.outcome->failure());
      EXPECT_THAT(event.unreached, ElementsAre());
    };
    Failing runner(script);
    make(&runner);
    ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                         Search(SmallGraph(), Rule(5, 40, 40), &runner, options));
    EXPECT_THAT(outcome.plan().path(), ElementsAre("S0", "B", "C"));
    ASSERT_EQ(outcome.edges_size(), 4);
    EXPECT_EQ(outcome.edges(2).ending(), EdgeOutcome::FAILED);
    EXPECT_THAT(outcome.edges(2).failure(), HasSubstr(test.failure));
    EXPECT_EQ(outcome.edges(2).curve_size(), test.points);
    EXPECT_THAT(outcome.unreached(), ElementsAre());
    EXPECT_THAT(runner.abandoned, ElementsAre(2));
    EXPECT_EQ(runner.finished.size(), 3);
    EXPECT_THAT(told, ElementsAre("", "", HasSubstr(test.failure), ""));
    EXPECT_FALSE(FolderExists(JoinPath(options.folder, "A-B")));
    EXPECT_TRUE(FolderExists(JoinPath(options.folder, "B-C")));
    // If it is resumed at any line, the result is the same; the failed edge is not trained again
    // once that is in the journal.
    const std::string path = JoinPath(options.folder, kJournalFile);
    ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
    int line = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
      if (++line % 4 != 0) continue;  // every line would take seconds
      std::ofstream(path, std::ios::binary | std::ios::trunc) << text.substr(0, end + 1);
      Failing again(script);
      make(&again);
      ASSERT_OK_AND_ASSIGN(const SearchOutcome same,
                           Search(SmallGraph(), Rule(5, 40, 40), &again, options));
      EXPECT_TRUE(MessageDifferencer::Equals(same, outcome));
      const bool written = absl::StrContains(text.substr(0, end + 1), "FAILED");
      EXPECT_EQ(again.abandoned.size(), written ? 0 : 1);
    }
  }
}

TEST(SearchTest, StatesThatNoEdgeReachesAreSaidAndWithoutAPlanItEnds) {
  SearchOptions options = Options("unreached");
  std::vector<std::string> told;
  options.observer = [&told](const SearchEvent& event) {
    told.insert(told.end(), event.unreached.begin(), event.unreached.end());
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ScriptedRunner one(
      [&](const EdgeTask& task, int epoch) { return task.index() == 0 ? nan : Script(task, epoch); });
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                       Search(SmallGraph(), Rule(5, 40, 40), &one, options));
  EXPECT_THAT(told, ElementsAre("A is reached by no edge: S0-A failed; A-B is not trained"));
  EXPECT_THAT(outcome.unreached(), ElementsAre(told[0]));
  EXPECT_EQ(outcome.edges(2).ending(), EdgeOutcome::UNREACHED);
  EXPECT_THAT(outcome.plan().path(), ElementsAre("S0", "B", "C"));

  for (const int runners : {1, 3}) {
    options.folder = JoinPath(TestFolder("no_plan"), absl::StrCat(runners));
    for (const int life : {1, 2}) {
      std::vector<ScriptedRunner> none(runners,
                                       ScriptedRunner([&](const EdgeTask&, int) { return nan; }));
      std::vector<StateRunner*> pointers;
      for (ScriptedRunner& runner : none) pointers.push_back(&runner);
      EXPECT_THAT(Search(SmallGraph(), Rule(5, 40, 40), pointers, options),
                  StatusIs(absl::StatusCode::kAborted,
                           AllOf(HasSubstr("no final state (C) is reached"),
                                 HasSubstr("S0-A: epoch 1: the performance is nan"))));
      int trained = 0;
      for (const ScriptedRunner& runner : none) trained += runner.trained;
      EXPECT_EQ(trained, life == 1 ? 2 : 0);
    }
  }
}

TEST(SearchTest, WeightsDoNotHangOnTheOrderOfFinishing) {
  // The order in which edges finish, with S0-B at every possible position.
  const std::vector<std::vector<int>> orders = {{1, 0, 2, 3}, {0, 1, 2, 3}, {0, 2, 1, 3}};
  for (const std::vector<int>& order : orders) {
    // One runner per edge; each waits in Finish() for its turn.
    struct Turns {
      absl::Mutex mutex;
      int finished = 0;
    } turns;
    struct Waiting : ScriptedRunner {
      Waiting(const std::vector<int>* which, Turns* all)
          : ScriptedRunner([](const EdgeTask& task, int epoch) {
              // A-B is skipped and leads until S0-B finishes, which beats it.
              return task.index() == 1 ? Parabola(epoch, 3, 0.65)
                                       : op3d::planner::Script(task, epoch);
            }),
            order(which),
            turns(all) {}
      absl::Status Finish(const EdgeTask& task, int epoch) override {
        OP3D_RETURN_IF_ERROR(MakeFolders(task.folder()));
        const int place =
            static_cast<int>(std::find(order->begin(), order->end(), task.index()) - order->begin());
        absl::MutexLock lock(&turns->mutex);
        const auto due = [&] { return turns->finished == place; };
        turns->mutex.Await(absl::Condition(&due));
        return ScriptedRunner::Finish(task, epoch);
      }
      const std::vector<int>* order;
      Turns* turns;
    };
    SearchOptions options = Options(absl::StrCat("order", order[0], order[1]));
    options.observer = [&turns](const SearchEvent& event) {
      if (event.kind != SearchEvent::kEdgeFinished) return;
      absl::MutexLock lock(&turns.mutex);
      ++turns.finished;
    };
    std::vector<std::unique_ptr<Waiting>> runners;
    std::vector<StateRunner*> pointers;
    for (int i = 0; i < 4; ++i) {
      runners.push_back(std::make_unique<Waiting>(&order, &turns));
      pointers.push_back(runners.back().get());
    }
    ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome,
                         Search(SmallGraph(), Rule(5, 40, 40), pointers, options));
    EXPECT_THAT(outcome.plan().path(), ElementsAre("S0", "B", "C"));
    std::vector<std::string> kept;
    for (const char* edge : {"S0-A", "S0-B", "A-B", "B-C"}) {
      if (FolderExists(JoinPath(options.folder, edge))) kept.push_back(edge);
    }
    EXPECT_THAT(kept, ElementsAre("B-C"));
  }
}

TEST(SearchTest, NamesEdgeAndEpochOfAnError) {
  struct Broken : ScriptedRunner {
    using ScriptedRunner::ScriptedRunner;
    absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override {
      if (epoch == 2) return absl::ResourceExhaustedError("disk full");
      return ScriptedRunner::TrainEpoch(task, epoch);
    }
  } broken(Script);
  EXPECT_THAT(
      Search(SmallGraph(), Rule(5, 40, 40), &broken, Options("broken")),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("S0-A, epoch 2: disk full")));

  struct Confused : ScriptedRunner {
    using ScriptedRunner::ScriptedRunner;
    absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override {
      return TrainEpoch(task, 1);
    }
  } confused(Script);
  EXPECT_THAT(Search(SmallGraph(), Rule(5, 40, 40), &confused, Options("confused")),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("A-B, epoch 0: the runner gave")));
}

TEST(SearchTest, RefusesABadGraphBeforeItWritesAnything) {
  TransitionGraph graph = SmallGraph();
  graph.clear_finals();
  const SearchOptions options = Options("bad");
  ScriptedRunner runner(Script);
  EXPECT_THAT(Search(graph, Rule(5, 40, 40), &runner, options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no final state")));
  EXPECT_FALSE(FolderExists(options.folder));
}

// The last test, because the signal stays set.
TEST(SearchTest, StopsBetweenTwoEpochsOnASignal) {
  InstallInterruptHandler();
  const SearchOptions options = Options("signal");
  ScriptedRunner runner([](const EdgeTask& task, int epoch) {
    if (task.index() == 1 && epoch == 2) std::raise(SIGTERM);
    return Script(task, epoch);
  });
  EXPECT_THAT(Search(SmallGraph(), Rule(5, 40, 40), &runner, options),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("SIGTERM")));
  ASSERT_OK_AND_ASSIGN(const JournalContent content,
                       ReadJournal(JoinPath(options.folder, kJournalFile)));
  // The epoch during which the signal came is not lost.
  EXPECT_EQ(content.entries.back().point().edge(), "S0-B");
  EXPECT_EQ(content.entries.back().point().point().epoch(), 2);
}

}  // namespace
}  // namespace op3d::planner
