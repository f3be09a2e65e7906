// Which picture of which frame a file or a key contains, by its name.
//
//   FrameNames names;
//   for (const std::string& file : files) names.Add(file);
//   OP3D_RETURN_IF_ERROR(names.Finish(FrameContent::kPictures, "ssv1/17", max_frames));
//   names.Name(0, 0);                                                   // "00001.jpg"
#ifndef OP3D_DATA_VIDEO_STORED_FRAME_NAMES_H_
#define OP3D_DATA_VIDEO_STORED_FRAME_NAMES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

// "00017.jpg", "000017.jpg", "img_00017.jpg", "frame_00017.jpeg", "image_00017.jpg": a picture.
// Flow: x is "000017_c1.jpg", "x_00017.jpg" or "flow_x_00017.jpg"; y has c2 or y.  Any number of
// digits up to nine.
struct FrameName {
  FrameContent content = FrameContent::kPictures;
  // 1 for the y of flow, otherwise 0.
  int picture = 0;
  // As written; the first frame has 1 (with some extractors 0).
  int64_t number = 0;
};
std::optional<FrameName> ParseFrameName(absl::string_view name);

class FrameNames {
 public:
  // Records `name` if it is the name of a frame.
  void Add(absl::string_view name);

  // NotFound: no frame of this content among the names.  DataLoss: numbers are missing or occur
  // twice, or x and y do not match.  ResourceExhausted: more than `max_frames`.  `path` is for
  // messages.
  absl::Status Finish(FrameContent content, absl::string_view path, int64_t max_frames);

  // After Finish: `frame` in [0, frames()), `picture` in [0, 2).
  int64_t frames() const { return static_cast<int64_t>(chosen_[0].size()); }
  const std::string& Name(int64_t frame, int picture) const {
    return chosen_[picture][frame].second;
  }

 private:
  using Numbered = std::vector<std::pair<int64_t, std::string>>;

  Numbered pictures_;
  std::array<Numbered, 2> flow_;
  std::array<Numbered, 2> chosen_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_FRAME_NAMES_H_
