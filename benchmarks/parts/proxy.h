// A proxy: a smaller search on a share of the videos, at a smaller crop or on a narrower network.
// It finds the paths that are worth training at full size, for a fraction of the frames.
//
//   const BenchmarkSettings small = ProxySettings(settings);
//   const std::vector<data::Video> videos = ProxyVideos(settings, data.search_train);
//   // search with `small` on `videos`, then train these at full size:
//   for (const Plan& plan : BestPlans(outcome, ProxyPaths(settings))) Use(plan);
#ifndef OP3D_BENCHMARKS_PARTS_PROXY_H_
#define OP3D_BENCHMARKS_PARTS_PROXY_H_

#include <vector>

#include "data/annotation/video_list.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// `settings` with the transform and the network of settings.search.proxy; unchanged without one.
BenchmarkSettings ProxySettings(const BenchmarkSettings& settings);

// The share of `videos` on which the proxy trains: whole groups, from every label, drawn with the
// seed.
std::vector<data::Video> ProxyVideos(const BenchmarkSettings& settings,
                                     const std::vector<data::Video>& videos);

// The number of paths that are trained at full size, at least 1.
int ProxyPaths(const BenchmarkSettings& settings);

// The cost of one of the proxy's frames relative to a frame of full size: the ratio of their areas.
double ProxyFrame(const BenchmarkSettings& settings);

// The plans of the `count` best final states by dynamic programming, the best first (among equal
// ones the one listed first); fewer if fewer were reached.  Plans that train the same states for
// the same epochs count once.
std::vector<Plan> BestPlans(const SearchOutcome& outcome, int count);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_PROXY_H_
