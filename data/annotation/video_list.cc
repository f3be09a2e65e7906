#include "data/annotation/video_list.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "data/annotation/csv.h"
#include "data/annotation/kinetics_csv.h"
#include "data/annotation/media_index.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

constexpr size_t kExamples = 10;

// A row of any dataset's list.
struct ListedVideo {
  std::string name;
  // Empty when the list has no labels.
  std::string label;
};

// What became of a row.
struct Found {
  // Empty: no such file.
  std::string path;
  IndexedVideo video;
};

// "kinetics-400_val.csv, labels.txt": what a user may have meant instead.
std::string TextFilesIn(const std::string& folder) {
  const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder);
  std::vector<std::string> found;
  if (names.ok()) {
    for (const std::string& name : *names) {
      if (absl::EndsWith(name, ".csv") || absl::EndsWith(name, ".txt")) found.push_back(name);
    }
  }
  if (found.empty()) return "there is no .csv or .txt file in that folder";
  if (found.size() > kExamples) found.resize(kExamples);
  return absl::StrCat("that folder has ", absl::StrJoin(found, ", "));
}

absl::Status CheckPlaces(const DatasetSettings& dataset, const DatasetSettings::Split& split,
                         const std::string& root) {
  if (root.empty() || !FolderExists(root)) {
    return absl::NotFoundError(
        absl::StrCat("no folder '", root, "', which should hold the dataset ", dataset.name(), " (",
                     split.list(), " and the videos in ", split.media(),
                     "); give the folder of your copy as --dataset_root"));
  }
  if (split.list().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the dataset ", dataset.name(), " names no list for this split; set one with ",
                     "--set=dataset.train.list=... or dataset.evaluation.list=..."));
  }
  const std::string list = JoinPath(root, split.list());
  if (!FileExists(list)) {
    return absl::NotFoundError(
        absl::StrCat("no list ", list, " for the dataset ", dataset.name(), ", and ",
                     TextFilesIn(root), "; put the official list there, or name yours with ",
                     "--set=dataset.train.list=... or dataset.evaluation.list=..."));
  }
  const std::string media = JoinPath(root, split.media());
  if (!FolderExists(media)) {
    return absl::NotFoundError(
        absl::StrCat("no folder ", media, " with the videos of ", split.list(),
                     "; put them there, in class folders or not, or name yours with ",
                     "--set=dataset.train.media=... or dataset.evaluation.media=..."));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ListedVideo>> ReadList(const DatasetSettings& dataset,
                                                  const std::string& path) {
  if (dataset.format() != DatasetSettings::KINETICS_CSV) {
    return absl::InvalidArgumentError(
        absl::StrCat("dataset ", dataset.name(), ": no reader for lists of format ",
                     DatasetSettings::Format_Name(dataset.format()), "; KINETICS_CSV has one"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<KineticsClip> clips, ReadKineticsCsv(path));
  std::vector<ListedVideo> listed;
  listed.reserve(clips.size());
  for (const KineticsClip& clip : clips) listed.push_back({clip.Name(), clip.label});
  return listed;
}

absl::StatusOr<std::vector<std::string>> ReadLabelMap(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return Annotate(text.status(), "the label map");
  std::vector<std::string> classes;
  for (absl::string_view line : absl::StrSplit(WithoutByteOrderMark(*text), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    if (std::find(classes.begin(), classes.end(), line) != classes.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": the class '", line, "' stands there twice"));
    }
    classes.emplace_back(line);
  }
  return classes;
}

std::vector<std::string> AlphabeticalLabels(const std::vector<ListedVideo>& listed) {
  std::vector<std::string> classes;
  for (const ListedVideo& video : listed) {
    if (!video.label.empty()) classes.push_back(video.label);
  }
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

// The classes in the order of their labels.
absl::StatusOr<std::vector<std::string>> FindClasses(const DatasetSettings& dataset,
                                                     const std::string& root,
                                                     const std::string& list,
                                                     const std::vector<ListedVideo>& listed) {
  const bool mapped = !dataset.label_map().empty();
  const std::string map_path = JoinPath(root, dataset.label_map());
  std::vector<std::string> classes;
  if (mapped) {
    OP3D_ASSIGN_OR_RETURN(classes, ReadLabelMap(map_path));
  } else {
    classes = AlphabeticalLabels(listed);
    if (classes.empty()) return classes;  // a test list
  }
  if (dataset.classes() <= 0 || classes.size() == dataset.classes()) return classes;
  const std::string found =
      absl::StrCat(mapped ? map_path : list, " has ", classes.size(), " classes, but ",
                   dataset.name(), " has ", dataset.classes());
  return absl::FailedPreconditionError(absl::StrCat(
      found,
      mapped ? "; give the label map of the whole dataset"
             : ": the list's own labels do not give the classes' numbers; name a label map "
               "(one class a line, all of them) as --labels=FILE or --set=dataset.label_map=FILE"));
}

// Index of each row's label, -1 without one.
absl::StatusOr<std::vector<int64_t>> FindLabels(const std::vector<ListedVideo>& listed,
                                                const std::vector<std::string>& classes,
                                                const std::string& list) {
  absl::flat_hash_map<std::string, int64_t> index;
  for (size_t i = 0; i < classes.size(); ++i) index[classes[i]] = static_cast<int64_t>(i);
  std::vector<int64_t> labels;
  labels.reserve(listed.size());
  for (const ListedVideo& video : listed) {
    const auto found = index.find(video.label);
    if (found == index.end() && !video.label.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(list, ": ", video.name, " is of the class '",
                                                     video.label, "', which is not one of the ",
                                                     classes.size(), " of the label map"));
    }
    labels.push_back(found == index.end() ? -1 : found->second);
  }
  return labels;
}

// Finds every listed video and what the index knows of it.  Cancelled when a signal comes.
absl::StatusOr<std::vector<Found>> FindAll(const std::vector<ListedVideo>& listed,
                                           const MediaIndex& media, const IndexOptions& options) {
  std::vector<Found> found(listed.size());
  std::vector<std::string> paths;
  for (size_t i = 0; i < listed.size(); ++i) {
    const std::string* path = media.Find(listed[i].name, listed[i].label);
    if (path == nullptr) continue;
    found[i].path = *path;
    paths.push_back(*path);
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

VideoList Join(const std::vector<ListedVideo>& listed, const std::vector<int64_t>& labels,
               std::vector<Found> found) {
  VideoList list;
  list.listed = static_cast<int64_t>(listed.size());
  std::vector<std::string> missing, broken;
  for (size_t i = 0; i < listed.size(); ++i) {
    IndexedVideo& video = found[i].video;
    if (video.status.ok()) {
      list.videos.push_back({listed[i].name, std::move(found[i].path), labels[i], video.frames,
                             std::move(video.scan)});
      continue;
    }
    const bool absent = found[i].path.empty();
    ++(absent ? list.missing : list.broken);
    std::vector<std::string>& examples = absent ? missing : broken;
    if (examples.size() < kExamples) {
      examples.push_back(absl::StrCat(listed[i].name, ": ", video.status.message()));
    }
  }
  list.examples = std::move(missing);
  list.examples.insert(list.examples.end(), broken.begin(), broken.end());
  return list;
}

absl::Status NothingUsable(const VideoList& list, const ListedVideo& first,
                           const std::string& list_path, const std::string& media_path,
                           const MediaIndex& media) {
  if (list.broken > 0) {
    return absl::DataLossError(absl::StrCat(
        "none of the ", list.listed, " videos of ", list_path, " can be used: ", list.missing,
        " missing, ", list.broken, " broken (", absl::StrJoin(list.examples, "; "), ")"));
  }
  return absl::NotFoundError(absl::StrCat(
      "none of the ", list.listed, " videos of ", list_path, " is in ", media_path,
      ": looked for files such as '", first.label.empty() ? "" : first.label + "/", first.name,
      ".mp4' there and one folder below, and found ", media.files(), " video files in ",
      media.folders(), " folders",
      media.files() == 0 ? "; download the videos into it, in class folders or not"
                         : "; their names must be {youtube_id}_{start:06}_{end:06}.mp4, or the "
                           "list is of another split"));
}

}  // namespace

absl::StatusOr<VideoList> LoadVideoList(const DatasetSettings& dataset,
                                        const DatasetSettings::Split& split,
                                        const std::string& root, const LoaderSettings& loader,
                                        int threads, IndexOptions index) {
  OP3D_RETURN_IF_ERROR(CheckPlaces(dataset, split, root));
  const std::string list_path = JoinPath(root, split.list());
  const std::string media_path = JoinPath(root, split.media());
  OP3D_ASSIGN_OR_RETURN(const std::vector<ListedVideo> listed, ReadList(dataset, list_path));
  OP3D_ASSIGN_OR_RETURN(std::vector<std::string> classes,
                        FindClasses(dataset, root, list_path, listed));
  OP3D_ASSIGN_OR_RETURN(const std::vector<int64_t> labels, FindLabels(listed, classes, list_path));
  OP3D_ASSIGN_OR_RETURN(const MediaIndex media, MediaIndex::Scan(media_path));
  index.root = root;
  index.threads = threads;
  OP3D_ASSIGN_OR_RETURN(std::vector<Found> found, FindAll(listed, media, index));
  VideoList list = Join(listed, labels, std::move(found));
  list.classes = std::move(classes);
  if (list.videos.empty()) {
    return NothingUsable(list, listed[0], list_path, media_path, media);
  }
  if (list.missing + list.broken > 0 && loader.on_bad_video() != LoaderSettings::SKIP) {
    return absl::FailedPreconditionError(
        absl::StrCat(DescribeVideoList(list, list_path), ": ", absl::StrJoin(list.examples, "; "),
                     "; complete the copy, or leave them out with --set=loader.on_bad_video=SKIP"));
  }
  return list;
}

uint32_t VideoListCrc32(absl::Span<const Video> videos) {
  std::string text;
  for (const Video& video : videos) absl::StrAppend(&text, video.name, "\t", video.label, "\n");
  return Crc32(text);
}

std::string DescribeVideoList(const VideoList& list, absl::string_view name) {
  return absl::StrCat(name, ": ", list.videos.size(), " of ", list.listed, " listed videos used (",
                      list.missing, " missing, ", list.broken, " broken)");
}

}  // namespace op3d
