// Renders a miniature, encodes it and writes it as a folder laid out like the real data set.
//
//   SynthesisOptions options;
//   options.dataset = "ucf101";                     // one of MiniatureNames()
//   options.folder = "/tmp/ucf101";
//   OP3D_RETURN_IF_ERROR(Synthesize(options));
//
// Every random number of a video comes from a stream named by (seed, data set, split, index), and
// each split has its own seed: no video depends on another, on their number or on threads.
#ifndef OP3D_DATA_SYNTHETIC_SYNTHESIZER_H_
#define OP3D_DATA_SYNTHETIC_SYNTHESIZER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "data/synthetic/miniatures/miniature.h"
#include "data/synthetic/miniatures/miniature_note.h"
#include "data/synthetic/miniatures/miniature_rendering.h"

namespace op3d::data {

struct SynthesisOptions {
  // A miniature's name.
  std::string dataset = "kinetics400";
  // Where to write; created if it does not exist.
  std::string folder;
  uint64_t seed = 1;
  // The number of videos; the miniature's own size if not given.
  std::optional<MiniatureSize> size;
  // Videos made at the same time, at least 1.
  int threads = 1;
};

// Creates the folder, or resumes one that was left unfinished (files are written completely or not
// at all, so existing files stay).  Shows a progress bar.
//
// NotFound: no such miniature.  InvalidArgument: an impossible number.  FailedPrecondition: the
// folder holds something else, or a miniature made with other options; nothing is changed.
// Cancelled: SIGINT or SIGTERM came; another call resumes.
absl::Status Synthesize(const SynthesisOptions& options);

// The video as a file in the encoding.  InvalidArgument: an encoding that FFmpeg does not have.
absl::StatusOr<std::string> EncodeRendering(const Rendering& rendering,
                                            const Miniature::Encoding& encoding);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SYNTHESIZER_H_
