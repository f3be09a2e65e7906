// Clips for benchmarks: drifting waves with noise, about as hard to decode as a Kinetics clip.
//
//   const std::string path = WriteWaveClip(folder, "0.mp4", 250, /*seed=*/0);
#ifndef OP3D_DATA_VIDEO_TESTING_WAVE_CLIP_H_
#define OP3D_DATA_VIDEO_TESTING_WAVE_CLIP_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace op3d::data {

// An H.264 clip of 340x256, key frames up to 250 apart, B-frames; returns its path.  Equal seeds
// give equal bytes.  Aborts the program on failure.
std::string WriteWaveClip(const std::string& folder, absl::string_view name, int frames,
                          uint64_t seed);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_TESTING_WAVE_CLIP_H_
