#include "data/annotation/held_out.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "op3d/base/random_stream.h"

namespace op3d {

std::pair<std::vector<Video>, std::vector<Video>> SplitHeldOut(const std::vector<Video>& videos,
                                                               double share, uint64_t seed) {
  const double wanted = share > 0 ? std::min(share, 1.0) : 0;  // also for not-a-number
  std::map<int64_t, std::vector<size_t>> by_label;
  for (size_t i = 0; i < videos.size(); ++i) by_label[videos[i].label].push_back(i);

  std::vector<bool> held(videos.size(), false);
  for (const auto& [label, members] : by_label) {
    const int64_t count = static_cast<int64_t>(members.size());
    const int64_t out = std::min<int64_t>(std::llround(wanted * count), count - 1);
    RandomStream stream(seed, "held_out", {label});
    const std::vector<int64_t> order = stream.Permutation(count);
    for (int64_t i = 0; i < out; ++i) held[members[order[i]]] = true;
  }

  std::pair<std::vector<Video>, std::vector<Video>> parts;
  for (size_t i = 0; i < videos.size(); ++i) {
    (held[i] ? parts.second : parts.first).push_back(videos[i]);
  }
  return parts;
}

}  // namespace op3d
