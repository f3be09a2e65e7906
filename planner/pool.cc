#include "planner/pool.h"

#include "absl/strings/str_cat.h"

namespace op3d {
namespace {

constexpr int kClipsPerUpdate = 256;
constexpr int kStates = 9;
// Clip length (0 = 16 frames, 1 = 32, 2 = 64) and learning rate (0 = high) of S1 to S9.
constexpr int kLength[kStates] = {0, 1, 0, 2, 1, 0, 2, 1, 2};
constexpr int kRate[kStates] = {0, 0, 1, 0, 1, 2, 1, 2, 2};
constexpr double kDivisor[3] = {1, 10, 100};

struct Edge {
  int from, to;
  bool extended;
};
constexpr Edge kEdges[] = {
    {0, 1, false}, {0, 2, false}, {1, 2, false}, {1, 3, false}, {2, 3, true},  {2, 4, false},
    {2, 5, false}, {3, 5, false}, {4, 5, true},  {3, 6, false}, {5, 6, true},  {4, 7, false},
    {5, 7, false}, {5, 8, false}, {6, 8, false}, {7, 8, true},  {7, 9, false}, {8, 9, false},
};

std::string Name(Sampling sampling, int number) {
  return absl::StrCat("S", sampling == Sampling::kUniform && number > 0 ? number + 9 : number);
}

State MakeState(const PoolOptions& options, int number) {
  const int length = kLength[number - 1], rate = kRate[number - 1];
  const bool consecutive = options.sampling == Sampling::kConsecutive;
  State state;
  state.set_name(Name(options.sampling, number));
  state.set_segments(consecutive ? 1 : 4 << length);
  state.set_frames_per_segment(consecutive ? 16 << length : 4);
  state.set_stride(consecutive && length == 2 ? options.longest_stride : 1);
  state.set_learning_rate(options.rates[length] / kDivisor[rate]);
  state.set_batch_size(16 >> length);
  state.set_accumulation(kClipsPerUpdate / (state.batch_size() * options.processes));
  state.set_frozen_batch_norm(length == 2);
  return state;
}

}  // namespace

TransitionGraph MakePool(const PoolOptions& options) {
  TransitionGraph graph;
  graph.set_pool(options.sampling == Sampling::kConsecutive ? "cs" : "us");
  graph.set_initial(Name(options.sampling, 0));
  for (int number = 1; number <= kStates; ++number) {
    *graph.add_states() = MakeState(options, number);
  }
  for (const Edge& edge : kEdges) {
    if (edge.extended && !options.extended) continue;
    Transition* transition = graph.add_transitions();
    transition->set_from(Name(options.sampling, edge.from));
    transition->set_to(Name(options.sampling, edge.to));
  }
  graph.add_finals(Name(options.sampling, kStates));
  return graph;
}

}  // namespace op3d
