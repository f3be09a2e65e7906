#include "data/video/stored/frame_tar.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "data/video/stored/frame_names.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// A picture of more bytes than this is damage, not a frame.
constexpr int64_t kLargestPicture = int64_t{1} << 30;

class FrameTar : public StoredFrames {
 public:
  FrameTar(std::shared_ptr<const TarShard> shard, absl::string_view folder, std::string path,
           FrameNames names, int file)
      : shard_(std::move(shard)),
        folder_(folder),
        path_(std::move(path)),
        names_(std::move(names)),
        file_(file) {}
  ~FrameTar() override { ::close(file_); }

  int64_t frames() const override { return names_.frames(); }

  std::string Where(int64_t frame, int picture) const override {
    return JoinPath(path_, names_.Name(frame, picture));
  }

  absl::StatusOr<absl::string_view> Encoded(int64_t frame, int picture) override {
    OP3D_ASSIGN_OR_RETURN(const TarMember member,
                          shard_->Find(JoinPath(folder_, names_.Name(frame, picture))));
    OP3D_RETURN_IF_ERROR(
        ReadTarMember(file_, member, kLargestPicture, Where(frame, picture), &bytes_));
    return bytes_;
  }

 private:
  const std::shared_ptr<const TarShard> shard_;
  const std::string folder_;
  const std::string path_;
  const FrameNames names_;
  const int file_;
  std::string bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoredFrames>> OpenFrameTar(std::shared_ptr<const TarShard> shard,
                                                           absl::string_view folder,
                                                           const std::string& path,
                                                           FrameContent content,
                                                           const VideoLimits& limits) {
  FrameNames names;
  for (const TarShard::Entry& entry : shard->List(folder)) {
    if (!entry.is_folder) names.Add(entry.name);
  }
  OP3D_RETURN_IF_ERROR(names.Finish(content, path, limits.max_frames));
  const int file = ::open(shard->path().c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return ErrnoStatus(errno, "cannot open", shard->path());
  return std::make_unique<FrameTar>(std::move(shard), folder, path, std::move(names), file);
}

}  // namespace op3d::data
