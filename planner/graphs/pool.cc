#include "planner/graphs/pool.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"

namespace op3d::planner {
namespace {

constexpr int kStates = 9;
// Clip length (0 = 16 frames, 1 = 32, 2 = 64) and learning rate (0 = high) of S1 to S9.
constexpr int kLength[kStates] = {0, 1, 0, 2, 1, 0, 2, 1, 2};
constexpr int kRate[kStates] = {0, 0, 1, 0, 1, 2, 1, 2, 2};

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

StateSettings MakeState(const PoolOptions& options, int number) {
  const int length = kLength[number - 1], rate = kRate[number - 1];
  const bool consecutive = options.sampling == Sampling::kConsecutive;
  StateSettings state;
  state.set_name(Name(options.sampling, number));
  state.set_segments(consecutive ? 1 : 4 << length);
  state.set_frames_per_segment(consecutive ? 16 << length : 4);
  state.set_stride(consecutive && length == 2 ? options.longest_stride : 1);
  state.set_learning_rate(options.rates[length] * (rate == 0 ? 1 : options.lower_rates[rate - 1]));
  state.set_batch_size(options.batch_sizes[length]);
  state.set_accumulation(options.clips_per_step / (state.batch_size() * options.processes));
  state.set_frozen_batch_norm(length == 2);
  return state;
}

// Copies the list, or leaves `to` unchanged if it is empty.
template <typename List, typename Array>
absl::Status TakeList(absl::string_view field, const List& list, Array* to) {
  if (list.empty()) return absl::OkStatus();
  if (list.size() != static_cast<int>(to->size())) {
    return absl::InvalidArgumentError(absl::StrCat("published.", field, " has ", list.size(),
                                                   " values; it must have ", to->size()));
  }
  std::copy(list.begin(), list.end(), to->begin());
  return absl::OkStatus();
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

absl::Status MakePublished(TransitionGraph* graph) {
  if (!graph->has_published()) return absl::OkStatus();
  const PublishedPool& pool = graph->published();
  if (!graph->states().empty() || !graph->transitions().empty() || !graph->finals().empty() ||
      !graph->rounds().empty()) {
    return absl::InvalidArgumentError(
        "the graph has `published`, from which it is made, and states, transitions, finals or rounds "
        "of its own; leave one of them out");
  }
  if (pool.sampling() == PublishedPool::SAMPLING_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        "published.sampling is missing; it must be CONSECUTIVE or UNIFORM");
  }
  PoolOptions options;
  options.sampling = pool.sampling() == PublishedPool::CONSECUTIVE ? Sampling::kConsecutive
                                                                   : Sampling::kUniform;
  options.extended = pool.extended();
  if (pool.rates().empty()) {
    return absl::InvalidArgumentError(
        "published.rates is missing: the high learning rate of 16, 32 and 64 frames");
  }
  OP3D_RETURN_IF_ERROR(TakeList("rates", pool.rates(), &options.rates));
  for (const double rate : options.rates) {
    OP3D_RETURN_IF_ERROR(Require(rate > 0, "published.rates", rate, "above 0"));
  }
  OP3D_RETURN_IF_ERROR(TakeList("lower_rates", pool.lower_rates(), &options.lower_rates));
  for (const double share : options.lower_rates) {
    OP3D_RETURN_IF_ERROR(
        Require(share > 0 && share < 1, "published.lower_rates", share, "in (0, 1)"));
  }
  OP3D_RETURN_IF_ERROR(Require(pool.longest_stride() >= 0, "published.longest_stride",
                               pool.longest_stride(), "at least 1, or 0 for 1"));
  options.longest_stride = std::max(1, pool.longest_stride());
  if (pool.clips_per_step() != 0) options.clips_per_step = pool.clips_per_step();
  OP3D_RETURN_IF_ERROR(TakeList("batch_sizes", pool.batch_sizes(), &options.batch_sizes));
  for (const int batch : options.batch_sizes) {
    OP3D_RETURN_IF_ERROR(RequireAtLeast("published.batch_sizes", batch, 1));
    OP3D_RETURN_IF_ERROR(
        Require(options.clips_per_step >= batch && options.clips_per_step % batch == 0,
                "published.clips_per_step", options.clips_per_step,
                absl::StrCat("a multiple of each batch, of ", batch, " too")));
  }
  *graph = MakePool(options);
  return absl::OkStatus();
}

}  // namespace op3d::planner
