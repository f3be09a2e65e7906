// A search in small: on a share of the videos, at a smaller crop or on a narrower network.  It says
// which paths are worth training at full size, for a fraction of the frames.
//
//   const BenchmarkSettings small = ProxySettings(settings);
//   const std::vector<data::Video> videos = ProxyVideos(settings, data.search_train);
//   // search with `small` on `videos`, then train these at full size:
//   for (const Plan& plan : BestPlans(outcome, ProxyPaths(settings))) Use(plan);
#ifndef OP3D_BENCHMARKS_RUN_PROXY_H_
#define OP3D_BENCHMARKS_RUN_PROXY_H_

#include <vector>

#include "data/annotation/video_list.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// `settings` with the transform and the network of settings.search.proxy; as they are without one.
BenchmarkSettings ProxySettings(const BenchmarkSettings& settings);

// The share of `videos` that the proxy trains on, whole groups and of every label, drawn by the seed.
std::vector<data::Video> ProxyVideos(const BenchmarkSettings& settings,
                                     const std::vector<data::Video>& videos);

// How many paths are trained at full size, at least 1.
int ProxyPaths(const BenchmarkSettings& settings);

// What one of the proxy's frames counts beside a frame of full size: the share of its area.
double ProxyFrame(const BenchmarkSettings& settings);

// The plans of the `count` best final states, the best first (of equal ones the one listed first), as
// dynamic programming has them; fewer where fewer were reached.  Plans that train the same states for
// the same epochs count once.
std::vector<Plan> BestPlans(const SearchOutcome& outcome, int count);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_PROXY_H_
