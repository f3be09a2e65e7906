// What a loader has done so far.
#ifndef OP3D_DATA_LOADER_LOADER_COUNTERS_H_
#define OP3D_DATA_LOADER_LOADER_COUNTERS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace op3d::data {

struct LoaderCounters {
  // Views made.
  int64_t clips = 0;
  // Videos that do not decode (left out or replaced), and the first ten of them, "name: reason".
  int64_t skipped = 0;
  // The number of those that were replaced by another video.
  int64_t substituted = 0;
  std::vector<std::string> examples;
  // Summed over workers: time to get frames (decoding them, or waiting for another loader to do
  // it), and to turn them into views.
  double read_seconds = 0;
  double transform_seconds = 0;
  // Time that Next waited for its batches.
  double wait_seconds = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_LOADER_COUNTERS_H_
