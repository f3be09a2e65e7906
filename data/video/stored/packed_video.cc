#include "data/video/stored/packed_video.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr absl::string_view kMagic("op3d\0pk1", 8);
// Frames start at a page, so that the system maps them as they are.
constexpr int64_t kPage = 4096;
constexpr int kLargestSide = 32768;
// Magic, frames, width, height, CRC-32 of these and of the frames' CRC-32s.
constexpr int64_t kFields = 8 + 8 + 4 + 4 + 4;

void Append(uint64_t number, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(number >> (8 * i)));
}

uint64_t NumberAt(absl::string_view text, int64_t place, int bytes) {
  uint64_t number = 0;
  for (int i = 0; i < bytes; ++i) {
    number |= uint64_t{static_cast<uint8_t>(text[place + i])} << (8 * i);
  }
  return number;
}

int64_t FrameBytes(const PackedShape& shape) { return int64_t{3} * shape.width * shape.height; }

int64_t HeaderBytes(int64_t frames) { return (kFields + 4 * frames + kPage - 1) / kPage * kPage; }

std::string MakeHeader(const PackedShape& shape, const std::vector<uint32_t>& checksums) {
  std::string start(kMagic);
  Append(static_cast<uint64_t>(shape.frames), 8, &start);
  Append(static_cast<uint64_t>(shape.width), 4, &start);
  Append(static_cast<uint64_t>(shape.height), 4, &start);
  std::string table;
  for (const uint32_t checksum : checksums) Append(checksum, 4, &table);
  const uint32_t own = Crc32(start + table);
  Append(own, 4, &start);
  start += table;
  start.resize(HeaderBytes(shape.frames), '\0');
  return start;
}

absl::Status Damaged(const std::string& path, absl::string_view how) {
  return absl::DataLossError(
      absl::StrCat(path, " ", how, "; remove it and make it again (dataset pack)"));
}

// The mapped file with its checked header.
class Mapped {
 public:
  Mapped() = default;
  Mapped(Mapped&& other) noexcept { *this = std::move(other); }
  Mapped& operator=(Mapped&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    shape_ = other.shape_;
    return *this;
  }
  ~Mapped() {
    if (start_ != nullptr) ::munmap(const_cast<char*>(start_), static_cast<size_t>(bytes_));
  }

  static absl::StatusOr<Mapped> Open(const std::string& path, const VideoLimits& limits) {
    const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return ErrnoStatus(errno, "cannot open", path);
    const auto close = absl::MakeCleanup([file] { ::close(file); });
    struct stat info;
    if (::fstat(file, &info) != 0) return ErrnoStatus(errno, "cannot open", path);
    if (!S_ISREG(info.st_mode)) return Damaged(path, "is not a file");
    if (info.st_size < kPage) return Damaged(path, "is too short for a packed video");
    Mapped mapped;
    void* const start =
        ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED, file, 0);
    if (start == MAP_FAILED) return ErrnoStatus(errno, "cannot map", path);
    mapped.start_ = static_cast<const char*>(start);
    mapped.bytes_ = info.st_size;
    OP3D_RETURN_IF_ERROR(mapped.CheckHeader(path, limits));
    return mapped;
  }

  const PackedShape& shape() const { return shape_; }
  absl::string_view Frame(int64_t frame) const {
    const int64_t bytes = FrameBytes(shape_);
    return {start_ + HeaderBytes(shape_.frames) + frame * bytes, static_cast<size_t>(bytes)};
  }
  uint32_t Checksum(int64_t frame) const {
    return static_cast<uint32_t>(
        NumberAt({start_, static_cast<size_t>(bytes_)}, kFields + 4 * frame, 4));
  }

 private:
  absl::Status CheckHeader(const std::string& path, const VideoLimits& limits) {
    const absl::string_view all(start_, static_cast<size_t>(bytes_));
    if (!absl::StartsWith(all, kMagic)) return Damaged(path, "is not a packed video");
    const uint64_t frames = NumberAt(all, 8, 8), width = NumberAt(all, 16, 4),
                   height = NumberAt(all, 20, 4);
    if (width < 1 || height < 1 || width > kLargestSide || height > kLargestSide || frames < 1 ||
        frames > (uint64_t{1} << 40)) {
      return Damaged(path, "has a damaged header");
    }
    shape_ = {static_cast<int64_t>(frames), static_cast<int>(width), static_cast<int>(height)};
    if (FrameBytes(shape_) / 3 > limits.max_pixels || shape_.frames > limits.max_frames) {
      return absl::ResourceExhaustedError(absl::StrCat(
          path, " has ", frames, " frames of ", width, "x", height, ": more than the limits of ",
          limits.max_frames, " frames of ", limits.max_pixels,
          " pixels; loader.max_frames and loader.max_pixels of the settings can raise them"));
    }
    // Their product could exceed 64 bits.
    if (shape_.frames > (int64_t{1} << 62) / FrameBytes(shape_)) {
      return Damaged(path, "has a damaged header");
    }
    if (PackedBytes(shape_) != bytes_) {
      return Damaged(path, absl::StrCat("has ", bytes_, " bytes instead of the ",
                                        PackedBytes(shape_), " of ", frames, " frames"));
    }
    // The checksum is between the fields and the frames' checksums.
    std::string covered(all.substr(0, kFields - 4));
    absl::StrAppend(&covered, all.substr(kFields, static_cast<size_t>(4 * shape_.frames)));
    if (Crc32(covered) != NumberAt(all, kFields - 4, 4)) {
      return Damaged(path, "has a damaged header");
    }
    return absl::OkStatus();
  }

  const char* start_ = nullptr;
  int64_t bytes_ = 0;
  PackedShape shape_;
};

VideoInfo InfoOf(const PackedShape& shape) {
  VideoInfo info;
  info.frames = shape.frames;
  info.width = shape.width;
  info.height = shape.height;
  info.codec = "packed";
  return info;
}

class PackedVideoReader : public VideoReader {
 public:
  PackedVideoReader(Mapped mapped, std::string path)
      : path_(std::move(path)), info_(InfoOf(mapped.shape())), mapped_(std::move(mapped)) {}

  const VideoInfo& info() const override { return info_; }
  const Counters& counters() const override { return counters_; }
  bool IsInMemory() const override { return true; }

  absl::Status Read(absl::Span<const int64_t> indices,
                    absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) override {
    OP3D_RETURN_IF_ERROR(CheckFrameIndices(indices, info_.frames, path_));
    const Box part = box();
    const size_t row = static_cast<size_t>(part.width) * 3;
    image_.width = part.width;
    image_.height = part.height;
    image_.pixels.resize(row * part.height);
    for (const int64_t frame : indices) {
      const absl::string_view pixels = mapped_.Frame(frame);
      if (Crc32(pixels) != mapped_.Checksum(frame)) {
        return Damaged(path_,
                       absl::StrCat("is damaged: frame ", frame, " does not have its checksum"));
      }
      for (int y = 0; y < part.height; ++y) {
        const size_t place = 3 * (static_cast<size_t>(part.top + y) * info_.width + part.left);
        std::memcpy(image_.pixels.data() + row * y, pixels.data() + place, row);
      }
      ++counters_.converted;
      OP3D_RETURN_IF_ERROR(sink(frame, image_));
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  const VideoInfo info_;
  const Mapped mapped_;
  RgbImage image_;
  Counters counters_;
};

}  // namespace

bool IsPackedName(absl::string_view path) { return absl::EndsWith(path, kPackedEnding); }

int64_t PackedBytes(const PackedShape& shape) {
  return HeaderBytes(shape.frames) + shape.frames * FrameBytes(shape);
}

absl::StatusOr<VideoInfo> DescribePackedVideo(const std::string& path, const VideoLimits& limits) {
  OP3D_ASSIGN_OR_RETURN(const Mapped mapped, Mapped::Open(path, limits));
  return InfoOf(mapped.shape());
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenPackedVideo(const std::string& path,
                                                             const VideoLimits& limits) {
  OP3D_ASSIGN_OR_RETURN(Mapped mapped, Mapped::Open(path, limits));
  return absl::make_unique<PackedVideoReader>(std::move(mapped), path);
}

absl::StatusOr<std::unique_ptr<PackedVideoWriter>> PackedVideoWriter::Make(
    const std::string& path, const PackedShape& shape) {
  if (shape.frames < 1 || shape.width < 1 || shape.height < 1 || shape.width > kLargestSide ||
      shape.height > kLargestSide) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", shape.frames, " frames of ", shape.width, "x", shape.height,
        " cannot be packed; there must be at least 1, with sides of 1 to ", kLargestSide));
  }
  // One name, so that what a killed process left is written over.
  std::string beside = absl::StrCat(path, ".partial");
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return ErrnoStatus(errno, "cannot create", path);
  // Two processes that pack into one folder must not write one file.
  if (::flock(file, LOCK_EX | LOCK_NB) != 0 || ::ftruncate(file, 0) != 0) {
    const int error = errno;
    ::close(file);
    if (error == EWOULDBLOCK) {
      return absl::FailedPreconditionError(
          absl::StrCat(beside, " is being written by another process; let it finish"));
    }
    return ErrnoStatus(error, "cannot write", path);
  }
  return std::unique_ptr<PackedVideoWriter>(
      new PackedVideoWriter(path, std::move(beside), file, shape));
}

PackedVideoWriter::~PackedVideoWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(beside_.c_str());
}

absl::Status PackedVideoWriter::Write(int64_t place, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), place);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "cannot write", path_);
    place += written;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status PackedVideoWriter::Add(const RgbImage& frame) {
  const int64_t number = static_cast<int64_t>(checksums_.size());
  const absl::string_view pixels(reinterpret_cast<const char*>(frame.pixels.data()),
                                 frame.pixels.size());
  if (number == shape_.frames || frame.width != shape_.width || frame.height != shape_.height ||
      static_cast<int64_t>(pixels.size()) != FrameBytes(shape_)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path_, ": frame ", number, " of ", frame.width, "x", frame.height, " does not fit ",
        shape_.frames, " frames of ", shape_.width, "x", shape_.height));
  }
  checksums_.push_back(Crc32(pixels));
  return Write(HeaderBytes(shape_.frames) + number * FrameBytes(shape_), pixels);
}

absl::Status PackedVideoWriter::Finish() {
  if (static_cast<int64_t>(checksums_.size()) != shape_.frames) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": ", checksums_.size(), " of ", shape_.frames, " frames were added"));
  }
  OP3D_RETURN_IF_ERROR(Write(0, MakeHeader(shape_, checksums_)));
  if (::fsync(file_) != 0) return ErrnoStatus(errno, "cannot write", path_);
  if (::rename(beside_.c_str(), path_.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot replace", path_);
  }
  // So that the new name is still there after a power cut.
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  const int folder =
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  ::close(std::exchange(file_, -1));
  return absl::OkStatus();
}

}  // namespace op3d::data
