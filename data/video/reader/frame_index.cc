#include "data/video/reader/frame_index.h"

#include <algorithm>

namespace op3d::data {

int64_t FrameIndex::Find(int64_t time) const {
  const auto found = std::lower_bound(times.begin(), times.end(), time);
  return found == times.end() || *found != time ? -1 : found - times.begin();
}

int64_t FrameIndex::EntryBefore(int64_t frame) const {
  const auto after = std::upper_bound(entries.begin(), entries.end(), frame);
  return after == entries.begin() ? 0 : *(after - 1);
}

std::vector<double> FrameIndex::Seconds() const {
  std::vector<double> seconds;
  seconds.reserve(times.size());
  for (const int64_t time : times) seconds.push_back(time * time_unit);
  return seconds;
}

}  // namespace op3d::data
