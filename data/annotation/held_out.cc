#include "data/annotation/held_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "op3d/base/random_stream.h"

namespace op3d::data {
namespace {

// Videos that stay together.
struct Group {
  std::vector<size_t> videos;
  // The number of its videos for each label.
  std::map<int64_t, int64_t> counts;
  bool held = false;
};

struct Label {
  // Indices in the list of groups, in the order of their first videos with this label.
  std::vector<size_t> groups;
  int64_t videos = 0;
  // The number of videos still to hold out; negative if more were held out.
  int64_t missing = 0;
  int64_t groups_left = 0;
};

class HeldOutPart {
 public:
  HeldOutPart(const std::vector<Video>& videos, double share) {
    std::map<std::string, size_t> places;
    for (size_t i = 0; i < videos.size(); ++i) {
      // Rows of one file without a group form a group.
      const std::string& name = videos[i].group.empty() ? videos[i].path : videos[i].group;
      size_t place = groups_.size();
      if (!name.empty()) place = places.emplace(name, place).first->second;
      if (place == groups_.size()) groups_.emplace_back();
      Label& label = labels_[videos[i].label];
      if (groups_[place].counts[videos[i].label]++ == 0) label.groups.push_back(place);
      groups_[place].videos.push_back(i);
      ++label.videos;
    }
    for (auto& [number, label] : labels_) {
      label.missing = std::llround(share * static_cast<double>(label.videos));
      label.groups_left = static_cast<int64_t>(label.groups.size());
    }
  }

  void Draw(uint64_t seed) {
    for (auto& [number, label] : labels_) {
      RandomStream stream(seed, "held_out", {number});
      for (const int64_t k : stream.Permutation(static_cast<int64_t>(label.groups.size()))) {
        if (label.missing <= 0) break;
        Group& group = groups_[label.groups[k]];
        if (!group.held && LeavesSomething(group) && (group.counts.size() == 1 || Fits(group))) {
          Hold(&group);
        }
      }
    }
    for (auto& [number, label] : labels_) {
      const bool none = label.groups_left == static_cast<int64_t>(label.groups.size());
      if (label.missing > 0 && none) HoldTheLeastBad(label);
    }
  }

  std::vector<bool> Held(size_t videos) const {
    std::vector<bool> held(videos, false);
    for (const Group& group : groups_) {
      if (!group.held) continue;
      for (const size_t video : group.videos) held[video] = true;
    }
    return held;
  }

 private:
  // Whether every label keeps a group to train on.
  bool LeavesSomething(const Group& group) const {
    return std::all_of(group.counts.begin(), group.counts.end(), [this](const auto& count) {
      return labels_.at(count.first).groups_left > 1;
    });
  }

  // Whether no label ends farther from its share than now.
  bool Fits(const Group& group) const {
    return std::all_of(group.counts.begin(), group.counts.end(), [this](const auto& count) {
      return count.second <= 2 * labels_.at(count.first).missing;
    });
  }

  void Hold(Group* group) {
    group->held = true;
    for (const auto& [number, count] : group->counts) {
      Label& label = labels_.at(number);
      label.missing -= count;
      --label.groups_left;
    }
  }

  void HoldTheLeastBad(const Label& label) {
    Group* best = nullptr;
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const size_t place : label.groups) {
      Group& group = groups_[place];
      if (group.held || !LeavesSomething(group)) continue;
      int64_t over = 0;
      for (const auto& [number, count] : group.counts) {
        over += std::max<int64_t>(0, count - std::max<int64_t>(0, labels_.at(number).missing));
      }
      if (over < least) {
        least = over;
        best = &group;
      }
    }
    if (best != nullptr) Hold(best);
  }

  std::vector<Group> groups_;
  std::map<int64_t, Label> labels_;
};

}  // namespace

std::pair<std::vector<Video>, std::vector<Video>> SplitHeldOut(const std::vector<Video>& videos,
                                                               double share, uint64_t seed) {
  const double wanted = share > 0 ? std::min(share, 1.0) : 0;  // also for not-a-number
  HeldOutPart part(videos, wanted);
  part.Draw(seed);
  const std::vector<bool> held = part.Held(videos.size());
  std::pair<std::vector<Video>, std::vector<Video>> parts;
  for (size_t i = 0; i < videos.size(); ++i) {
    (held[i] ? parts.second : parts.first).push_back(videos[i]);
  }
  return parts;
}

}  // namespace op3d::data
