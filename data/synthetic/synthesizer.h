// Renders a miniature, encodes it and writes it as a folder laid out like the real data set.
//
//   SynthesisOptions options;
//   options.folder = "/tmp/kinetics";
//   OP3D_RETURN_IF_ERROR(Synthesize(options));
//
// Every number behind a video comes from a stream named by (seed, data set, split, index), and
// each split has a seed of its own: no video depends on another, on their number or on threads.
#ifndef DATA_SYNTHETIC_SYNTHESIZER_H_
#define DATA_SYNTHETIC_SYNTHESIZER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/synthetic/miniature.h"
#include "data/synthetic/rendering.h"

namespace op3d {

struct SynthesisOptions {
  // A miniature's name.
  std::string dataset = "kinetics400";
  // Where to write; made when it is not there.
  std::string folder;
  uint64_t seed = 1;
  // Videos of each split, 0 or more.
  int train = 450;
  int val = 270;
  int test = 18;
  // Videos made at the same time, at least 1.
  int threads = 1;
};

// Makes the folder, or goes on with one that was left unfinished (files are written whole or not
// at all, so what is there stays).  Shows a progress bar.
//
// NotFound: no such miniature.  InvalidArgument: a number that cannot be.  FailedPrecondition: the
// folder holds something else, or a miniature made with other options; nothing is touched.
// Cancelled: SIGINT or SIGTERM came; calling again goes on.
absl::Status Synthesize(const SynthesisOptions& options);

// Video `index` of a split.
Rendering RenderingOf(const Miniature& miniature, absl::string_view split, int index,
                      uint64_t seed);

// The video as an mp4 file: H.264, preset veryfast, crf 20.
absl::StatusOr<std::string> EncodeRendering(const Rendering& rendering, int frame_rate);

}  // namespace op3d

#endif  // DATA_SYNTHETIC_SYNTHESIZER_H_
