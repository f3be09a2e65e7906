// The miniatures: small synthetic data sets, each a stand-in for a real one.
//
// Their classes come in three groups.  "appearance": a single frame tells.  "short": a motion that
// a few frames show.  "long": two motions in a row; a clip that misses the change between them
// shows one of the short classes instead, so that only long clips tell for sure.
#ifndef DATA_SYNTHETIC_MINIATURE_H_
#define DATA_SYNTHETIC_MINIATURE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/synthetic/motion.h"
#include "data/synthetic/video_class.h"

namespace op3d {

struct Miniature {
  // The real data set's: "kinetics400".
  std::string name;
  VideoShape shape;
  // Frames a second.
  int frame_rate = 25;
  // Video i of a list is of class i modulo their number.
  std::vector<VideoClass> classes;
};

// NotFound names the ones there are.
absl::StatusOr<Miniature> FindMiniature(absl::string_view name);

}  // namespace op3d

#endif  // DATA_SYNTHETIC_MINIATURE_H_
