#include "data/annotation/video_list.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/annotation/dataset_list.h"
#include "data/annotation/list_text.h"
#include "data/annotation/media_index.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

constexpr size_t kExamples = 10;

// What became of a row.
struct Found {
  // Empty: no such file.
  std::string path;
  IndexedVideo video;
};

// The names by which videos may be found.
absl::flat_hash_set<std::string> NamesOf(const DatasetList& list) {
  absl::flat_hash_set<std::string> names;
  for (const ListedVideo& video : list.videos) {
    names.insert(video.name);
    if (!video.other_name.empty()) names.insert(video.other_name);
  }
  return names;
}

// The video of `path` re-encoded, or as a folder of its frames; empty when there is none.
std::string WithAnotherEnding(const std::string& path) {
  const size_t name = path.size() - FileName(path).size();
  const std::string stem =
      path.substr(0, name) + std::string(WithoutEnding(absl::string_view(path).substr(name)));
  if (FolderExists(stem)) return stem;
  for (const absl::string_view ending : VideoEndings()) {
    const std::string other = absl::StrCat(stem, ".", ending);
    if (FileExists(other) || FolderExists(other)) return other;
  }
  return "";
}

// Empty when the video is not there.
std::string FindPath(const DatasetList& list, const ListedVideo& video, const MediaIndex& media) {
  if (!video.path.empty()) {
    const std::string path = JoinPath(list.media_path, video.path);
    if (FileExists(path) || FolderExists(path)) return path;
    const std::string same = WithAnotherEnding(path);
    if (!same.empty()) return same;
  }
  const std::string label = video.label >= 0 ? list.classes[video.label] : "";
  const size_t slash = video.path.rfind('/');
  if (slash != std::string::npos) {
    const std::string folder(FileName(video.path.substr(0, slash)));
    const std::string* path = media.FindIn(folder, video.name, label);
    return path == nullptr ? "" : *path;
  }
  const std::string* path = media.Find(video.name, label);
  if (path == nullptr && !video.other_name.empty()) path = media.Find(video.other_name, label);
  return path == nullptr ? "" : *path;
}

// Finds every listed video and what the index knows of it.  Cancelled when a signal comes.
absl::StatusOr<std::vector<Found>> FindAll(const DatasetList& list, const MediaIndex& media,
                                           const IndexOptions& options) {
  std::vector<Found> found(list.videos.size());
  std::vector<std::string> paths;
  for (size_t i = 0; i < list.videos.size(); ++i) {
    found[i].path = FindPath(list, list.videos[i], media);
    if (!found[i].path.empty()) paths.push_back(found[i].path);
  }
  OP3D_ASSIGN_OR_RETURN(std::vector<IndexedVideo> videos, IndexVideos(paths, options, nullptr));
  size_t next = 0;
  for (Found& row : found) {
    if (row.path.empty()) {
      row.video.status = absl::NotFoundError("no such file");
    } else {
      row.video = std::move(videos[next++]);
    }
  }
  return found;
}

VideoList Join(const std::vector<ListedVideo>& listed, std::vector<Found> found,
               FrameContent content) {
  VideoList list;
  list.listed = static_cast<int64_t>(listed.size());
  std::vector<std::string> missing, broken;
  for (size_t i = 0; i < listed.size(); ++i) {
    const ListedVideo& video = listed[i];
    IndexedVideo& indexed = found[i].video;
    if (indexed.status.ok()) {
      list.videos.push_back({video.name, std::move(found[i].path), video.label, indexed.frames,
                             std::move(indexed.scan), video.group, content});
      continue;
    }
    const bool absent = found[i].path.empty();
    ++(absent ? list.missing : list.broken);
    list.left_out.push_back(
        {video.name, std::move(found[i].path), std::string(indexed.status.message())});
    std::vector<std::string>& examples = absent ? missing : broken;
    if (examples.size() < kExamples) {
      examples.push_back(absl::StrCat(video.name, ": ", list.left_out.back().reason));
    }
  }
  list.examples = std::move(missing);
  list.examples.insert(list.examples.end(), broken.begin(), broken.end());
  return list;
}

absl::Status NothingUsable(const VideoList& found, const DatasetList& list,
                           const MediaIndex& media) {
  if (found.broken > 0) {
    return absl::DataLossError(absl::StrCat("none of the ", found.listed, " videos of ",
                                            list.list_path, " can be used: ", found.missing,
                                            " missing, ", found.broken, " broken (",
                                            absl::StrJoin(found.examples, "; "), ")"));
  }
  const ListedVideo& first = list.videos[0];
  const std::string looked_for =
      !first.path.empty() ? first.path
                          : absl::StrCat(first.label < 0 ? "" : list.classes[first.label] + "/",
                                         first.name, ".mp4");
  return absl::NotFoundError(absl::StrCat(
      "none of the ", found.listed, " videos of ", list.list_path, " is in ", list.media_path,
      ": looked for files such as '", looked_for, "' there and one folder below (or a folder of ",
      "frames of that name), and found ", media.files(), " videos in ", media.folders(), " folders",
      media.files() == 0 ? "; download the videos into it, in class folders or not"
                         : "; their names must be those of the list, or the list is of another "
                           "split"));
}

}  // namespace

absl::StatusOr<VideoLimits> LimitsOf(const LoaderSettings& loader) {
  const auto check = [](const char* field, double value) {
    if (value >= 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("loader.", field, " is ", value, "; it must be at least 0 (0 = the default)"));
  };
  OP3D_RETURN_IF_ERROR(check("max_pixels", static_cast<double>(loader.max_pixels())));
  OP3D_RETURN_IF_ERROR(check("max_frames", static_cast<double>(loader.max_frames())));
  OP3D_RETURN_IF_ERROR(check("max_seconds", loader.max_seconds()));
  VideoLimits limits;
  if (loader.max_pixels() > 0) {
    // Beyond it sizes in bytes would overflow FFmpeg's.
    limits.max_pixels = std::min<int64_t>(loader.max_pixels(), int64_t{1} << 30);
  }
  if (loader.max_frames() > 0) limits.max_frames = loader.max_frames();
  if (loader.max_seconds() > 0) limits.max_seconds = loader.max_seconds();
  return limits;
}

absl::StatusOr<VideoList> LoadVideoList(const DatasetSettings& dataset,
                                        const DatasetSettings::Split& split,
                                        const std::string& root, const LoaderSettings& loader,
                                        int threads, IndexOptions index) {
  OP3D_ASSIGN_OR_RETURN(DatasetList list, ReadDatasetList(dataset, split, root));
  OP3D_ASSIGN_OR_RETURN(const MediaIndex media, MediaIndex::Scan(list.media_path, NamesOf(list)));
  OP3D_ASSIGN_OR_RETURN(index.media.limits, LimitsOf(loader));
  index.root = root;
  index.threads = threads;
  const bool flow = dataset.stream() == DatasetSettings::FLOW;
  index.media.content = flow ? FrameContent::kFlow : FrameContent::kPictures;
  OP3D_ASSIGN_OR_RETURN(std::vector<Found> found, FindAll(list, media, index));
  VideoList usable = Join(list.videos, std::move(found), index.media.content);
  if (usable.videos.empty()) return NothingUsable(usable, list, media);
  usable.classes = std::move(list.classes);
  const bool error = loader.on_bad_video() != LoaderSettings::SKIP &&
                     loader.on_bad_video() != LoaderSettings::SUBSTITUTE;
  if (usable.missing + usable.broken > 0 && error) {
    return absl::FailedPreconditionError(absl::StrCat(
        DescribeVideoList(usable, list.list_path), ": ", absl::StrJoin(usable.examples, "; "),
        "; complete the copy, or leave them out with on_bad_video (--set=loader.on_bad_video=SKIP, "
        "or --on_bad_video=skip)"));
  }
  return usable;
}

std::string VideoListText(absl::Span<const Video> videos) {
  std::string text;
  for (const Video& video : videos) absl::StrAppend(&text, video.name, "\t", video.label, "\n");
  return text;
}

uint32_t VideoListCrc32(absl::Span<const Video> videos) { return Crc32(VideoListText(videos)); }

std::string DescribeVideoList(const VideoList& list, absl::string_view name) {
  return absl::StrCat(name, ": ", list.videos.size(), " of ", list.listed, " listed videos used (",
                      list.missing, " missing, ", list.broken, " broken)");
}

}  // namespace op3d
