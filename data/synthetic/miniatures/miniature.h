// The miniatures: small synthetic data sets, each a stand-in for a real one, each described in a
// textproto (miniature.proto).
//
//   OP3D_ASSIGN_OR_RETURN(Miniature miniature, FindMiniature("ucf101"));
//   for (const std::string& name : MiniatureNames()) Use(name);       // all there are
//
// Their classes come in three groups.  "appearance": a single frame tells.  "short": a motion that
// a few frames show.  "long": two motions in a row; a clip that misses the change between them
// shows one of the short classes instead, so that only long clips tell for sure.
#ifndef OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_H_
#define OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/datasets/dataset.pb.h"
#include "data/synthetic/miniatures/miniature.pb.h"
#include "data/synthetic/scene/motion.h"
#include "data/synthetic/scene/video_class.h"
#include "data/video/writer/video_writer_options.h"

namespace op3d::data {

// Videos of each list; or, of a data set of three splits, of one pool (miniature.proto).
struct MiniatureSize {
  int train = 0;
  int validation = 0;
  int test = 0;
  int groups = 0;
  int videos_per_group = 0;
};

struct Miniature {
  // The real data set's: "kinetics400".
  std::string name;
  DatasetSettings::Format format = DatasetSettings::KINETICS_CSV;
  VideoShape shape;
  VideoStyle style;
  // Frames a second.
  int frame_rate = 25;
  // Video i of a list is of class i modulo their number.
  std::vector<VideoClass> classes;

  // How a video is stored.
  struct Encoding {
    // ".mp4"; empty for a folder of JPEG frames.
    std::string ending;
    // Of a file; size and frame rate are the miniature's.
    VideoWriterOptions writer;
    // Of JPEG frames, in [1, 100].
    int jpeg_quality = 90;
  };
  std::vector<Encoding> encodings;

  // What the benchmark runs on, and what tests do.
  MiniatureSize size;
  MiniatureSize tiny_size;
};

// In alphabetical order.
std::vector<std::string> MiniatureNames();

// NotFound names the ones there are.
absl::StatusOr<Miniature> FindMiniature(absl::string_view name);

// InvalidArgument, naming the field: what cannot be rendered or laid out.
absl::StatusOr<Miniature> ToMiniature(const MiniatureSettings& settings);

// Index in the miniature's classes of video `index` of any list or pool.
int ClassOf(const Miniature& miniature, int index);
// The videos of each class take the encodings in turn.
const Miniature::Encoding& EncodingOf(const Miniature& miniature, int index);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_H_
