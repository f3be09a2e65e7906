#include "data/video/stored/frame_folder.h"

#include <utility>
#include <vector>

#include "data/video/stored/frame_names.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

class FrameFolder : public StoredFrames {
 public:
  FrameFolder(std::string path, FrameNames names)
      : path_(std::move(path)), names_(std::move(names)) {}

  int64_t frames() const override { return names_.frames(); }

  std::string Where(int64_t frame, int picture) const override {
    return JoinPath(path_, names_.Name(frame, picture));
  }

  absl::StatusOr<absl::string_view> Encoded(int64_t frame, int picture) override {
    OP3D_ASSIGN_OR_RETURN(bytes_, ReadFile(Where(frame, picture)));
    return bytes_;
  }

 private:
  const std::string path_;
  const FrameNames names_;
  std::string bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoredFrames>> OpenFrameFolder(const std::string& path,
                                                              FrameContent content,
                                                              const VideoLimits& limits) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> listed, ListFolder(path));
  FrameNames names;
  for (const std::string& name : listed) names.Add(name);
  OP3D_RETURN_IF_ERROR(names.Finish(content, path, limits.max_frames));
  return absl::make_unique<FrameFolder>(path, std::move(names));
}

}  // namespace op3d::data
