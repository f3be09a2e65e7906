// The published transition graphs: two pools of nine states, base and extended.
//
//   PoolOptions options;                              // Kinetics, consecutive sampling
//   TransitionGraph graph = MakePool(options);        // that of planner/graphs/base_cs.textproto
//
//   // The same from a file: published { sampling: CONSECUTIVE rates: [0.04, 0.04, 0.004] ... }
//   OP3D_RETURN_IF_ERROR(MakePublished(&graph));
//
// Three clip lengths x three learning rates; us is cs + 9.  (Paper: Optimization Planning for 3D
// ConvNets, ICML 2021.)
//
//   |                 | high      | mid (/10) | low (/100) |
//   | cs 16 / us 4x4  | S1 / S10  | S3 / S12  | S6 / S15   |
//   | cs 32 / us 8x4  | S2 / S11  | S5 / S14  | S8 / S17   |
//   | cs 64 / us 16x4 | S4 / S13  | S7 / S16  | S9 / S18   |
//
// Base edges keep the rate and lengthen the clip, or keep the clip and lower the rate; extended
// pools also have edges that shorten the clip and lower the rate at once.  BatchNorm is frozen for
// 64 frames.
#ifndef OP3D_PLANNER_GRAPHS_POOL_H_
#define OP3D_PLANNER_GRAPHS_POOL_H_

#include <array>

#include "absl/status/status.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

enum class Sampling {
  kConsecutive,  // cs: one clip of 16, 32 or 64 frames
  kUniform,      // us: 4, 8 or 16 segments of 4 frames
};

// 0.04, 0.04, 0.004: Kinetics, Something-Something.
inline constexpr std::array<double, 3> kLargeDatasetRates = {0.04, 0.04, 0.004};
// 0.01, 0.01, 0.001: UCF101, HMDB51, ActivityNet.
inline constexpr std::array<double, 3> kSmallDatasetRates = {0.01, 0.01, 0.001};

struct PoolOptions {
  Sampling sampling = Sampling::kConsecutive;
  bool extended = false;
  // The high learning rate for 16, 32 and 64 frames.
  std::array<double, 3> rates = kLargeDatasetRates;
  // The mid and the low rate as shares of it.
  std::array<double, 2> lower_rates = {0.1, 0.01};
  // The stride of a 64-frame cs clip: 2 on Kinetics and ActivityNet, otherwise 1.
  int longest_stride = 2;
  // Clips per batch for 16, 32 and 64 frames.
  std::array<int, 3> batch_sizes = {16, 8, 4};
  // Clips per step = batch x processes x accumulation; a multiple of each batch x processes.
  int clips_per_step = 256;
  // The number of processes that train together.
  int processes = 1;
};

// 9 states, 14 or 18 edges, final state S9 or S18.  Always valid.
TransitionGraph MakePool(const PoolOptions& options);

// Makes the graph from its `published`, if it has one, and clears that.  InvalidArgument with
// field, value and limit, and for a graph that also lists states, edges or rounds.
absl::Status MakePublished(TransitionGraph* graph);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_GRAPHS_POOL_H_
