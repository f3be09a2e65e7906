// The miniatures: small synthetic data sets, each of which replaces a real one; each is described
// in a textproto (miniature.proto).
//
//   OP3D_ASSIGN_OR_RETURN(Miniature miniature, FindMiniature("ucf101"));
//   for (const std::string& name : MiniatureNames()) Use(name);       // all there are
//
// Their classes have three groups.  "appearance": a single frame shows the class.  "short": a
// motion that a few frames show.  "long": two motions in a row; a clip that misses the change
// between them looks like one of the short classes, so only long clips show the class reliably.
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

// The number of videos of each list, or of the pool of a data set with three splits
// (miniature.proto).
struct MiniatureSize {
  int train = 0;
  int validation = 0;
  int test = 0;
  int groups = 0;
  int videos_per_group = 0;
};

struct Miniature {
  // The real data set's name: "kinetics400".
  std::string name;
  DatasetSettings::Format format = DatasetSettings::KINETICS_CSV;
  VideoShape shape;
  VideoStyle style;
  // Frames a second.
  int frame_rate = 25;
  // Video i of a list has class i modulo the number of classes.
  std::vector<VideoClass> classes;

  // How a video is stored.
  struct Encoding {
    // ".mp4"; empty for a folder of JPEG frames.
    std::string ending;
    // For a file; size and frame rate are the miniature's.
    VideoWriterOptions writer;
    // For JPEG frames, in [1, 100].
    int jpeg_quality = 90;
  };
  std::vector<Encoding> encodings;

  // The size for the benchmark, and the size for tests.
  MiniatureSize size;
  MiniatureSize tiny_size;
};

// In alphabetical order.
std::vector<std::string> MiniatureNames();

// NotFound lists the existing ones.
absl::StatusOr<Miniature> FindMiniature(absl::string_view name);

// InvalidArgument, naming the field, for settings that cannot be rendered or laid out.
absl::StatusOr<Miniature> ToMiniature(const MiniatureSettings& settings);

// Index in the miniature's classes of video `index` of any list or pool.
int ClassOf(const Miniature& miniature, int index);
// The videos of each class use the encodings in turn.
const Miniature::Encoding& EncodingOf(const Miniature& miniature, int index);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_H_
