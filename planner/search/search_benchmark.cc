// The time of planning without training:  ./bazelw run //planner/search:search_benchmark
//
// BM_Index, BM_BestPath: checking and numbering a graph; the plan of a graph with scored edges.
// BM_Follow: a whole search without fits, in memory: every edge found ready, one epoch, its
// end. BM_DecideEpoch, BM_JournalEpoch: the cost of an epoch in addition to its training, to
// compute the share of a search that is not training.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "planner/graphs/transition_graph.h"
#include "planner/knee/performance_curve.h"
#include "planner/search/dynamic_programming.h"
#include "planner/search/journal.h"
#include "planner/search/search_progress.h"

namespace op3d::planner {
namespace {

// State i has edges from the `ways` states before it; with 1 it is a chain.
TransitionGraph MakeGraph(int states, int ways) {
  TransitionGraph graph;
  graph.set_pool("chain");
  graph.set_initial("S0");
  for (int i = 1; i <= states; ++i) {
    StateSettings& state = *graph.add_states();
    state.set_name(absl::StrCat("S", i));
    state.set_segments(1);
    state.set_frames_per_segment(16);
    state.set_stride(1);
    state.set_learning_rate(0.01);
    state.set_batch_size(16);
    state.set_accumulation(16);
    for (int way = 1; way <= std::min(ways, i); ++way) {
      Transition& transition = *graph.add_transitions();
      transition.set_from(absl::StrCat("S", i - way));
      transition.set_to(state.name());
    }
  }
  graph.add_finals(absl::StrCat("S", states));
  return graph;
}

StoppingRule Rule() {
  StoppingRule rule;
  rule.set_attempt_epochs(10);
  rule.set_max_epochs_from_initial(200);
  rule.set_max_epochs(100);
  return rule;
}

void BM_Index(benchmark::State& state) {
  const TransitionGraph graph =
      MakeGraph(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(IndexGraph(graph));
}

void BM_BestPath(benchmark::State& state) {
  const TransitionGraph graph =
      MakeGraph(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const GraphIndex index = *IndexGraph(graph);
  RandomStream stream(1, "benchmark", {});
  EdgeScores scores(index.edges.size());
  for (auto& score : scores) score = EdgeScore{10, stream.Uniform()};
  for (auto _ : state) benchmark::DoNotOptimize(FindBestPath(index, scores));
}

// A third of the states is skipped, so that weights are searched further back.
void BM_Follow(benchmark::State& state) {
  const TransitionGraph graph =
      MakeGraph(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) {
    SearchProgress progress = *SearchProgress::Make(graph, Rule());
    for (int edge = progress.next_edge(); edge != kNoEdge; edge = progress.next_edge()) {
      const Transition& transition = graph.transitions(edge);
      for (int epoch = 0; epoch <= 1; ++epoch) {
        JournalEntry entry;
        entry.mutable_point()->set_edge(EdgeName(transition));
        entry.mutable_point()->mutable_point()->set_epoch(epoch);
        if (!progress.Apply(entry).ok()) std::abort();
      }
      JournalEntry entry;
      entry.mutable_finished()->set_from(transition.from());
      entry.mutable_finished()->set_to(transition.to());
      entry.mutable_finished()->set_epochs(edge % 3 == 0 ? 0 : 1);
      entry.mutable_finished()->set_score(0.5);
      if (!progress.Apply(entry).ok()) std::abort();
      benchmark::DoNotOptimize(progress.NeedsWeights(edge));
    }
    benchmark::DoNotOptimize(progress.Outcome());
  }
}

void Graphs(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"states", "ways"})->Unit(benchmark::kMillisecond);
  for (const int states : {9, 1000, 10000}) benchmark->Args({states, 1})->Args({states, 3});
}
BENCHMARK(BM_Index)->Apply(Graphs);
BENCHMARK(BM_BestPath)->Apply(Graphs);
BENCHMARK(BM_Follow)->Apply(Graphs);

// A decision for a noisy curve with the given number of epochs.
void BM_DecideEpoch(benchmark::State& state) {
  SearchProgress progress = *SearchProgress::Make(MakeGraph(1, 1), Rule());
  RandomStream stream(1, "benchmark", {});
  const int epochs = static_cast<int>(state.range(0));
  const PerformanceCurve curve = {0.4, 6.0 / epochs, 0, 0.2 / epochs / epochs, 0.7};
  for (int epoch = 0; epoch <= epochs; ++epoch) {
    JournalEntry entry;
    entry.mutable_point()->set_edge("S0-S1");
    entry.mutable_point()->mutable_point()->set_epoch(epoch);
    entry.mutable_point()->mutable_point()->set_performance(Evaluate(curve, epoch) +
                                                            0.004 * stream.Gaussian());
    if (!progress.Apply(entry).ok()) std::abort();
  }
  for (auto _ : state) benchmark::DoNotOptimize(progress.Decide(0));
}
BENCHMARK(BM_DecideEpoch)->Arg(10)->Arg(30)->Arg(100)->Unit(benchmark::kMicrosecond);

// One line, on disk: the time is the disk's.
void BM_JournalEpoch(benchmark::State& state) {
  const char* const parent = std::getenv("TMPDIR");
  std::string folder = absl::StrCat(parent == nullptr ? "/tmp" : parent, "/op3d_journal_XXXXXX");
  if (::mkdtemp(folder.data()) == nullptr) std::abort();
  const std::string path = JoinPath(folder, kJournalFile);
  {
    const auto journal = Journal::Open(path, JournalHeader());
    JournalEntry entry;
    entry.mutable_point()->set_edge("S0-S1");
    entry.mutable_point()->mutable_point()->set_performance(0.61803398874989484);
    for (auto _ : state) {
      if (!(*journal)->Append(entry).ok()) std::abort();
    }
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_JournalEpoch)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace op3d::planner

BENCHMARK_MAIN();
