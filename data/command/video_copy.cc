#include "data/command/video_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/index/index_update.h"
#include "data/video/image/jpeg.h"
#include "data/video/reader/video_reader.h"
#include "data/video/stored/frame_lmdb.h"
#include "data/video/stored/packed_video.h"
#include "data/video/writer/video_writer.h"
#include "op3d/base/file.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

// The average frame rate per second, rounded to a whole number.
int FrameRate(const VideoInfo& info) {
  constexpr double kUnknown = 25, kHighest = 240;
  double rate = kUnknown;
  if (info.pts_seconds.size() > 1) {
    const double seconds = info.pts_seconds.back() - info.pts_seconds.front();
    if (seconds > 0) rate = static_cast<double>(info.frames - 1) / seconds;
  }
  return static_cast<int>(std::lround(std::min(std::max(rate, 1.0), kHighest)));
}

// Calls `sink` with every frame of the video, resized to the copy's size.
absl::Status ReadAll(VideoReader* reader, PictureSize size,
                     absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) {
  const VideoInfo& info = reader->info();
  std::vector<int64_t> frames(info.frames);
  std::iota(frames.begin(), frames.end(), 0);
  const bool same = size.width == info.width && size.height == info.height;
  OP3D_ASSIGN_OR_RETURN(Resize resize, Resize::Make({0, 0, info.width, info.height}, size.width,
                                                    size.height, {0, 0, size.width, size.height}));
  RgbImage resized = {size.width, size.height, {}};
  resized.pixels.resize(static_cast<size_t>(size.width) * size.height * 3);
  return reader->Read(frames, [&](int64_t frame, const RgbImage& image) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    if (same) return sink(frame, image);
    resize.Apply(image.pixels.data(), {0, 0, image.width, image.height}, resized.pixels.data());
    return sink(frame, resized);
  });
}

absl::Status CopyToFile(VideoReader* reader, const VideoCopyOptions& options,
                        const std::string& target) {
  const PictureSize size = CopySize(reader->info().width, reader->info().height, options);
  VideoWriterOptions writing;
  writing.width = size.width;
  writing.height = size.height;
  writing.frame_rate = FrameRate(reader->info());
  writing.crf = options.crf;
  writing.key_frame_distance = options.key_frame_distance;
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoWriter> writer, VideoWriter::Make(writing));
  OP3D_RETURN_IF_ERROR(
      ReadAll(reader, size, [&](int64_t, const RgbImage& image) { return writer->Add(image); }));
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, writer->Finish());
  return WriteFileAtomically(target, bytes);
}

absl::Status CopyToPacked(VideoReader* reader, const VideoCopyOptions& options,
                          const std::string& target) {
  const VideoInfo& info = reader->info();
  const PictureSize size = CopySize(info.width, info.height, options);
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<PackedVideoWriter> writer,
                        PackedVideoWriter::Make(target, {info.frames, size.width, size.height}));
  OP3D_RETURN_IF_ERROR(
      ReadAll(reader, size, [&](int64_t, const RgbImage& image) { return writer->Add(image); }));
  return writer->Finish();
}

// Not synced to the disk: SyncFolder does that for all pictures of a video at once.
absl::Status WritePicture(const std::string& path, const std::string& jpeg) {
  std::ofstream file(path, std::ios::binary);
  file << jpeg;
  file.close();
  return file ? absl::OkStatus() : ErrnoStatus(errno, "cannot write", path);
}

absl::Status SyncFolder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return ErrnoStatus(errno, "cannot open", path);
  const int synced = ::syncfs(folder);
  const int reason = errno;
  ::close(folder);
  return synced == 0 ? absl::OkStatus() : ErrnoStatus(reason, "cannot write", path);
}

using PictureSink = absl::FunctionRef<absl::Status(std::string name, std::string jpeg)>;

// Calls `sink` with the pictures of the frames.
absl::Status CopyFrames(VideoReader* reader, const VideoCopyOptions& options, PictureSink sink) {
  const int digits = options.form == VideoForm::kLmdb ? 6 : 5;
  return ReadAll(reader, CopySize(reader->info().width, reader->info().height, options),
                 [&](int64_t frame, const RgbImage& image) -> absl::Status {
                   OP3D_ASSIGN_OR_RETURN(std::string jpeg, EncodeJpeg(image, options.jpeg_quality));
                   return sink(absl::StrFormat("%0*d.jpg", digits, frame + 1), std::move(jpeg));
                 });
}

// Calls `sink` with the x and y pictures of the flow.
absl::Status CopyFlow(VideoReader* reader, const VideoCopyOptions& options, PictureSink sink) {
  std::string jpegs[2];
  const auto put = [&](int64_t frame) -> absl::Status {
    for (const int picture : {0, 1}) {
      OP3D_RETURN_IF_ERROR(
          sink(absl::StrFormat("%06d_c%d.jpg", frame + 1, picture + 1), jpegs[picture]));
    }
    return absl::OkStatus();
  };
  const auto encode = [&](const FlowField& field) -> absl::Status {
    GreyImage pictures[2];
    EncodeFlow(field, options.flow_bound, &pictures[0], &pictures[1]);
    for (const int picture : {0, 1}) {
      OP3D_ASSIGN_OR_RETURN(jpegs[picture],
                            EncodeGreyJpeg(pictures[picture].pixels, {field.width, field.height},
                                           options.jpeg_quality));
    }
    return absl::OkStatus();
  };
  GreyImage before;
  FlowField field;
  OP3D_RETURN_IF_ERROR(ReadAll(reader,
                               CopySize(reader->info().width, reader->info().height, options),
                               [&](int64_t frame, const RgbImage& image) -> absl::Status {
                                 GreyImage grey = GreyOf(image);
                                 if (frame > 0) {
                                   OP3D_RETURN_IF_ERROR(
                                       options.flow->Compute(before, grey, &field));
                                   OP3D_RETURN_IF_ERROR(encode(field));
                                   OP3D_RETURN_IF_ERROR(put(frame - 1));
                                 }
                                 before = std::move(grey);
                                 return absl::OkStatus();
                               }));
  if (reader->info().frames == 1) {
    // A video with one frame has no motion.
    OP3D_RETURN_IF_ERROR(
        encode({before.width, before.height, std::vector<float>(before.pixels.size() * 2)}));
  }
  return put(reader->info().frames - 1);
}

// Fills the new folder `folder`.
absl::Status CopyToFolder(VideoReader* reader, const VideoCopyOptions& options,
                          const std::string& folder) {
  const bool lmdb = options.form == VideoForm::kLmdb;
  std::vector<LmdbPicture> pictures;
  const auto sink = [&](std::string name, std::string jpeg) -> absl::Status {
    if (!lmdb) return WritePicture(JoinPath(folder, name), jpeg);
    pictures.push_back({std::move(name), std::move(jpeg)});
    return absl::OkStatus();
  };
  OP3D_RETURN_IF_ERROR(options.flow == nullptr ? CopyFrames(reader, options, sink)
                                               : CopyFlow(reader, options, sink));
  return lmdb ? WriteFrameLmdb(folder, pictures) : SyncFolder(folder);
}

}  // namespace

absl::StatusOr<VideoForm> ParseVideoForm(absl::string_view name) {
  for (const VideoForm form :
       {VideoForm::kFile, VideoForm::kFrames, VideoForm::kLmdb, VideoForm::kPacked}) {
    if (name == VideoFormName(form)) return form;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("form '", name, "' is none of: video, frames, lmdb, packed"));
}

absl::string_view VideoFormName(VideoForm form) {
  switch (form) {
    case VideoForm::kFile:
      return "video";
    case VideoForm::kFrames:
      return "frames";
    case VideoForm::kLmdb:
      return "lmdb";
    case VideoForm::kPacked:
      return "packed";
  }
  return "";
}

absl::Status CheckVideoCopyOptions(const VideoCopyOptions& options) {
  OP3D_RETURN_IF_ERROR(RequireIn("short side", options.short_side, 16, 8192));
  OP3D_RETURN_IF_ERROR(
      RequireIn("distance of key frames", options.key_frame_distance, 1, 1'000'000));
  OP3D_RETURN_IF_ERROR(RequireIn("crf", options.crf, 0, 51));
  OP3D_RETURN_IF_ERROR(RequireIn("JPEG quality", options.jpeg_quality, 1, 100));
  if (options.flow == nullptr) return absl::OkStatus();
  if (options.form == VideoForm::kFile || options.form == VideoForm::kPacked) {
    return absl::InvalidArgumentError(
        "flow is stored as grey pictures (the colours of a video are too coarse for it): form is "
        "frames or lmdb");
  }
  return Require(options.flow_bound > 0 && options.flow_bound <= 1000, "the flow's bound",
                 options.flow_bound, "in (0, 1000] pixels");
}

// Colours of a file are stored for blocks of 2x2 pixels, so sides are even.
PictureSize CopySize(int width, int height, const VideoCopyOptions& options) {
  PictureSize size = {width, height};
  if (std::min(width, height) > options.short_side) {
    size = ShortSideSize(width, height, options.short_side);
  }
  if (options.form == VideoForm::kFile) {
    size.width = std::max(16, size.width / 2 * 2);
    size.height = std::max(16, size.height / 2 * 2);
  }
  return size;
}

std::string CopyPath(const std::string& path, bool is_folder, VideoForm form) {
  std::filesystem::path copy(path);
  if (!is_folder && copy.filename() == "data.mdb") {
    copy = copy.parent_path();
  } else if (!is_folder) {
    copy.replace_extension();
  }
  if (form == VideoForm::kPacked) return absl::StrCat(copy.string(), kPackedEnding);
  return form == VideoForm::kFile ? copy.string() + ".mp4" : copy.string();
}

absl::Status CopyVideo(const Video& video, const VideoCopyOptions& options,
                       const std::string& target) {
  MediaOptions media;
  media.content = video.content;
  media.remote = video.remote;
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoReader> reader,
                        OpenIndexed(video.path, video.scan, media));
  const std::filesystem::path place(target);
  OP3D_RETURN_IF_ERROR(MakeFolders(place.parent_path().string()));
  if (options.form == VideoForm::kFile) return CopyToFile(reader.get(), options, target);
  if (options.form == VideoForm::kPacked) return CopyToPacked(reader.get(), options, target);
  if (FolderExists(target)) return absl::OkStatus();

  const std::string beside =
      (place.parent_path() / absl::StrCat(".", place.filename().string(), ".partial")).string();
  std::error_code error;
  std::filesystem::remove_all(beside, error);
  if (options.form == VideoForm::kFrames) OP3D_RETURN_IF_ERROR(MakeFolders(beside));
  const absl::Status status = CopyToFolder(reader.get(), options, beside);
  if (status.ok() && std::rename(beside.c_str(), target.c_str()) == 0) return status;
  const int reason = errno;
  std::filesystem::remove_all(beside, error);
  return status.ok() ? ErrnoStatus(reason, "cannot make", target) : status;
}

}  // namespace op3d::data
