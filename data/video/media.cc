#include "data/video/media.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/file/video_file.h"
#include "data/video/file/video_source.h"
#include "data/video/remote/file_cache.h"
#include "data/video/remote/remote_files.h"
#include "data/video/remote/remote_url.h"
#include "data/video/stored/frame_folder.h"
#include "data/video/stored/frame_lmdb.h"
#include "data/video/stored/frame_tar.h"
#include "data/video/stored/packed_video.h"
#include "data/video/stored/stored_frame_reader.h"
#include "data/video/tar/media_path.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// A video where it lies: its frames, or the file with them if there are none.
struct Located {
  std::unique_ptr<StoredFrames> stored;
  VideoSource source;
};

absl::Status NoFlow(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path,
                   " is a file, and a video has no flow; give a folder or LMDB of pictures "
                   "such as 000001_c1.jpg and 000001_c2.jpg, as `dataset flow` makes them"));
}

// `path` is what messages call the video.
absl::StatusOr<Located> LocateInTar(const std::string& path, const TarPath& place,
                                    const MediaOptions& options) {
  OP3D_ASSIGN_OR_RETURN(auto shard, TarShard::Open(place.tar));
  if (IsPackedName(place.member)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a packed video in a tar, which cannot be mapped; unpack the tar"));
  }
  Located located = {nullptr, path};
  if (shard->IsFolder(place.member)) {
    OP3D_ASSIGN_OR_RETURN(located.stored, OpenFrameTar(std::move(shard), place.member, path,
                                                       options.content, options.limits));
    return located;
  }
  OP3D_ASSIGN_OR_RETURN(const TarMember member, shard->Find(place.member));
  if (options.content == FrameContent::kFlow) return NoFlow(path);
  located.source.file = place.tar;
  located.source.start = member.start;
  located.source.bytes = member.bytes;
  return located;
}

absl::StatusOr<Located> LocateFile(const std::string& path, const MediaOptions& options) {
  if (const std::optional<TarPath> place = SplitTarPath(path)) {
    return LocateInTar(path, *place, options);
  }
  Located located = {nullptr, path};
  if (IsLmdb(path)) {
    OP3D_ASSIGN_OR_RETURN(located.stored, OpenFrameLmdb(path, options.content, options.limits));
  } else if (FolderExists(path)) {
    OP3D_ASSIGN_OR_RETURN(located.stored, OpenFrameFolder(path, options.content, options.limits));
  } else if (options.content == FrameContent::kFlow && FileExists(path)) {
    return NoFlow(path);
  }
  return located;
}

absl::StatusOr<Located> Locate(const std::string& path, const MediaOptions& options) {
  if (!IsUrl(path)) return LocateFile(path, options);
  OP3D_ASSIGN_OR_RETURN(const CachedFile file, FetchRemote(options.remote.get(), path));
  const std::optional<TarPath> place = SplitTarPath(file.path);
  absl::StatusOr<Located> located =
      place.has_value() ? LocateInTar(path, *place, options) : LocateFile(file.path, options);
  if (!located.ok()) return Annotate(located.status(), path);
  located->source.name = path;
  located->source.keep = file.keep;
  return located;
}

// A packed video on the disk; a folder may have such a name.
bool IsPacked(const std::string& path) {
  return IsPackedName(path) && !IsUrl(path) && !SplitTarPath(path).has_value() &&
         !FolderExists(path);
}

absl::Status RefuseFlow(const std::string& path, const MediaOptions& options) {
  return options.content == FrameContent::kFlow ? NoFlow(path) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<VideoScan> ScanMedia(const std::string& path, const MediaOptions& options) {
  if (IsPacked(path)) {
    OP3D_RETURN_IF_ERROR(RefuseFlow(path, options));
    VideoScan scan;
    OP3D_ASSIGN_OR_RETURN(scan.info, DescribePackedVideo(path, options.limits));
    return scan;
  }
  OP3D_ASSIGN_OR_RETURN(const Located located, Locate(path, options));
  if (located.stored == nullptr) return ScanVideoFile(located.source, options.limits);
  VideoScan scan;
  OP3D_ASSIGN_OR_RETURN(
      scan.info, DescribeStoredFrames(located.stored.get(), options.content, options.limits));
  return scan;
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenMedia(const std::string& path, VideoScan scan,
                                                       const MediaOptions& options) {
  if (IsPacked(path)) {
    OP3D_RETURN_IF_ERROR(RefuseFlow(path, options));
    OP3D_ASSIGN_OR_RETURN(auto reader, OpenPackedVideo(path, options.limits));
    if (reader->info().frames == scan.info.frames && reader->info().width == scan.info.width &&
        reader->info().height == scan.info.height) {
      return reader;
    }
    return absl::DataLossError(
        absl::StrCat(path, " has ", reader->info().frames, " frames of ", reader->info().width, "x",
                     reader->info().height, ", but had ", scan.info.frames, " of ", scan.info.width,
                     "x", scan.info.height, " when it was scanned; scan it again"));
  }
  OP3D_ASSIGN_OR_RETURN(Located located, Locate(path, options));
  if (located.stored == nullptr) {
    return OpenVideoFile(located.source, std::move(scan), options.limits, options.decoding);
  }
  return MakeStoredFrameReader(std::move(located.stored), options.content, path,
                               std::move(scan.info), options.limits);
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenMedia(const std::string& path,
                                                       const MediaOptions& options) {
  OP3D_ASSIGN_OR_RETURN(VideoScan scan, ScanMedia(path, options));
  return OpenMedia(path, std::move(scan), options);
}

}  // namespace op3d::data
