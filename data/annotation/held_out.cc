#include "data/annotation/held_out.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

// By label: its groups in the order of their first videos, each with the places of its videos.  The
// rows of one file without a group are one by themselves.
using Groups = std::vector<std::vector<size_t>>;
std::map<int64_t, Groups> GroupsOfLabels(const std::vector<Video>& videos) {
  std::map<int64_t, Groups> by_label;
  std::map<std::pair<int64_t, std::string>, size_t> places;
  for (size_t i = 0; i < videos.size(); ++i) {
    Groups& groups = by_label[videos[i].label];
    const std::string& name = videos[i].group.empty() ? videos[i].path : videos[i].group;
    size_t place = groups.size();
    if (!name.empty()) {
      place = places.emplace(std::make_pair(videos[i].label, name), place).first->second;
    }
    if (place == groups.size()) groups.emplace_back();
    groups[place].push_back(i);
  }
  return by_label;
}

}  // namespace

std::pair<std::vector<Video>, std::vector<Video>> SplitHeldOut(const std::vector<Video>& videos,
                                                               double share, uint64_t seed) {
  const double wanted = share > 0 ? std::min(share, 1.0) : 0;  // also for not-a-number
  std::vector<bool> held(videos.size(), false);
  for (const auto& [label, groups] : GroupsOfLabels(videos)) {
    int64_t count = 0;
    for (const std::vector<size_t>& group : groups) count += static_cast<int64_t>(group.size());
    int64_t missing = std::llround(wanted * static_cast<double>(count));
    RandomStream stream(seed, "held_out", {label});
    std::vector<int64_t> order = stream.Permutation(static_cast<int64_t>(groups.size()));
    order.pop_back();  // the last group stays in any case
    for (const int64_t chosen : order) {
      if (missing <= 0) break;
      for (const size_t video : groups[chosen]) held[video] = true;
      missing -= static_cast<int64_t>(groups[chosen].size());
    }
  }

  std::pair<std::vector<Video>, std::vector<Video>> parts;
  for (size_t i = 0; i < videos.size(); ++i) {
    (held[i] ? parts.second : parts.first).push_back(videos[i]);
  }
  return parts;
}

}  // namespace op3d
