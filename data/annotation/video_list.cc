#include "data/annotation/video_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "data/annotation/dataset_list.h"
#include "data/annotation/media_index.h"
#include "data/annotation/text/list_text.h"
#include "data/index/scan_record.h"
#include "data/video/remote/remote_files.h"
#include "data/video/remote/remote_url.h"
#include "data/video/tar/media_path.h"
#include "data/video/tar/tar_shard.h"
#include "op3d/base/file.h"
#include "op3d/base/require.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kExamples = 10;

using FileId = std::pair<uint64_t, uint64_t>;

// The result for a row.
struct Found {
  // Empty: no such file.
  std::string path;
  // There are other files with its name.
  bool several = false;
  IndexedVideo video;
};

// Folders next to the media folder whose names say that they hold replacements of damaged files.
std::vector<std::string> ReplacementFolders(const std::string& root, const std::string& media) {
  std::vector<std::string> folders;
  std::error_code ignored;
  const fs::path media_folder = fs::weakly_canonical(media, ignored);
  const std::string beside = (fs::path(media) / "..").lexically_normal().string();
  for (const std::string& outer : {root, beside}) {
    const absl::StatusOr<std::vector<std::string>> names = ListFolder(outer);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      const std::string path = JoinPath(outer, name);
      if (!absl::StartsWithIgnoreCase(name, "replacement") || !FolderExists(path)) continue;
      const fs::path folder = fs::weakly_canonical(path, ignored);
      // Folders below the media folder are found anyway.
      const std::string relative = folder.lexically_relative(media_folder).string();
      const bool inside = relative != ".." && !absl::StartsWith(relative, "../");
      if (!inside && std::find(folders.begin(), folders.end(), folder.string()) == folders.end()) {
        folders.push_back(folder.string());
      }
    }
    if (fs::equivalent(root, beside, ignored)) break;
  }
  return folders;
}

// Finds the files of the rows of a list.
class Finder {
 public:
  Finder(const DatasetList& list, const std::string& root, bool flow, const RemoteFiles* remote)
      : list_(list), root_(root), flow_(flow), remote_(remote) {}

  // The media folder and everything below it: listed once, and only if a list's own paths do not
  // lead to its videos.  The names of the videos make this cheap.
  absl::StatusOr<const MediaIndex*> Media() {
    if (media_ != nullptr) return media_.get();
    if (IsUrl(list_.media_path)) {
      return absl::InvalidArgumentError(
          absl::StrCat(list_.media_path,
                       " cannot be listed as a folder can, so the list must say where each video "
                       "is: use one of paths (PATH_LABEL), and not ",
                       list_.list_path));
    }
    absl::flat_hash_set<absl::string_view> names;
    names.reserve(2 * list_.videos.size());
    for (const ListedVideo& video : list_.videos) {
      names.insert(NameOf(video));
      if (!video.other_name.empty()) names.insert(video.other_name);
    }
    OP3D_ASSIGN_OR_RETURN(MediaIndex media, MediaIndex::Scan(list_.media_path, names));
    if (!flow_) {
      for (const std::string& folder : ReplacementFolders(root_, list_.media_path)) {
        media.AddReplacements(folder, names);
      }
    }
    media_ = std::make_unique<MediaIndex>(std::move(media));
    return media_.get();
  }

  // The file of a row.
  absl::Status First(const ListedVideo& video, Found* found) {
    if (!video.path.empty()) {
      const std::string path = PathOf(video);
      if (IsUrl(path)) {
        const absl::Status allowed = CheckRemote(remote_, path);
        if (!allowed.ok()) return Annotate(allowed, list_.Place(video));
        found->path = path;
        return absl::OkStatus();
      }
      if (IsThere(path)) {
        found->path = path;
        return absl::OkStatus();
      }
    }
    OP3D_ASSIGN_OR_RETURN(std::vector<std::string> all, All(video));
    found->several = all.size() > 1;
    if (!all.empty()) found->path = std::move(all[0]);
    return absl::OkStatus();
  }

  // All files that may belong to the row, the best first.
  absl::StatusOr<std::vector<std::string>> All(const ListedVideo& video) {
    const std::string label = video.label >= 0 ? list_.classes[video.label] : "";
    if (video.path.empty()) {
      OP3D_ASSIGN_OR_RETURN(const MediaIndex* const media, Media());
      std::vector<std::string> paths = media->Find(video.name, label);
      if (!video.other_name.empty()) Append(media->Find(video.other_name, label), &paths);
      return paths;
    }
    std::vector<std::string> paths;
    const std::string path = PathOf(video);
    if (IsUrl(path)) return std::vector<std::string>{path};
    if (IsThere(path)) paths.push_back(path);
    Append(WithAnotherEnding(path), &paths);
    if (!paths.empty()) return paths;
    OP3D_ASSIGN_OR_RETURN(const MediaIndex* const media, Media());
    const size_t slash = video.path.rfind('/');
    if (slash == std::string::npos) return media->Find(NameOf(video), label);
    return media->FindIn(video.path.substr(0, slash), NameOf(video), label);
  }

  // Why a row has no file, if known.
  std::string WhyMissing(const ListedVideo& video) const {
    if (!video.path.empty()) {
      struct stat info;
      const std::string path = PathOf(video);
      if (::stat(path.c_str(), &info) != 0 && errno == EACCES) {
        return std::string(ErrnoStatus(EACCES, "cannot open", path).message());
      }
      const absl::Status in_tar = CheckTarPath(path);
      if (!in_tar.ok()) return std::string(in_tar.message());
    }
    const std::string label = video.label >= 0 ? list_.classes[video.label] : "";
    for (const MediaIndex::Unreadable& folder : Unreadable()) {
      if (folder.name == label || folder.name == absl::StrReplaceAll(label, {{" ", "_"}})) {
        return std::string(folder.status.message());
      }
    }
    return "no such file";
  }

  absl::Span<const MediaIndex::Unreadable> Unreadable() const {
    if (media_ == nullptr) return {};
    return media_->unreadable();
  }

 private:
  static bool IsThere(const std::string& path) {
    return MediaFileExists(path) || MediaFolderExists(path);
  }

  // The path or URL that the row names.
  std::string PathOf(const ListedVideo& video) const {
    const std::string path = WithoutFileScheme(video.path);
    if (IsUrl(path)) return path;
    const bool remote = IsUrl(list_.media_path) && path.front() != '/';
    return remote ? JoinUrl(list_.media_path, path) : JoinPath(list_.media_path, path);
  }

  static absl::string_view NameOf(const ListedVideo& video) {
    return video.path.empty() ? video.name : WithoutVideoEndings(FileName(video.path));
  }

  static void Append(const std::vector<std::string>& more, std::vector<std::string>* paths) {
    for (const std::string& path : more) {
      if (std::find(paths->begin(), paths->end(), path) == paths->end()) paths->push_back(path);
    }
  }

  // The video of `path` in another encoding, or as a folder of its frames, in the same folder.
  std::vector<std::string> WithAnotherEnding(const std::string& path) {
    const absl::string_view name = FileName(path);
    const std::string folder = path.substr(0, path.size() - name.size());
    const auto [place, fresh] = listings_.try_emplace(folder);
    if (fresh) {
      for (TarShard::Entry& entry :
           ListMediaFolder(folder).value_or(std::vector<TarShard::Entry>())) {
        const std::string stem(WithoutVideoEndings(entry.name));
        // A file without an ending is not a video.
        if (stem == entry.name && !entry.is_folder) continue;
        place->second[stem].push_back(std::move(entry.name));
      }
    }
    std::vector<std::string> paths;
    const auto found = place->second.find(WithoutVideoEndings(name));
    if (found == place->second.end()) return paths;
    for (const std::string& entry : found->second) paths.push_back(folder + entry);
    return paths;
  }

  const DatasetList& list_;
  const std::string root_;
  const bool flow_;
  // Null: remote data are off.
  const RemoteFiles* const remote_;
  std::unique_ptr<MediaIndex> media_;
  // For each folder: its entries, by their names without endings.
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, std::vector<std::string>>>
      listings_;
};

// Whether the scan has found damage somewhere in the video.
bool HasWarnings(const IndexedVideo& video, const VideoLimits& limits) {
  const absl::StatusOr<VideoScan> scan = DecodeScan(video.scan, limits.max_frames);
  return scan.ok() && !scan->info.warnings.empty();
}

// Whether `other` should be used instead of `video`.
bool IsBetter(const IndexedVideo& other, const IndexedVideo& video) {
  if (other.status.ok() != video.status.ok()) return other.status.ok();
  return other.status.ok() && other.frames > video.frames;
}

// Finds every listed video and its entry in the index.  Cancelled when a signal comes.
absl::StatusOr<std::vector<Found>> FindAll(const DatasetList& list, Finder* finder,
                                           const IndexOptions& options) {
  std::vector<Found> found(list.videos.size());
  std::vector<std::string> paths;
  for (size_t i = 0; i < list.videos.size(); ++i) {
    OP3D_RETURN_IF_ERROR(finder->First(list.videos[i], &found[i]));
    if (!found[i].path.empty()) paths.push_back(found[i].path);
  }
  OP3D_ASSIGN_OR_RETURN(std::vector<IndexedVideo> videos, IndexVideos(paths, options, nullptr));
  size_t next = 0;
  // If the first file with a name is damaged, the others are examined too: by row, in order.
  std::vector<std::pair<size_t, std::string>> others;
  for (size_t i = 0; i < found.size(); ++i) {
    Found& row = found[i];
    if (row.path.empty()) {
      row.video.status = absl::NotFoundError(finder->WhyMissing(list.videos[i]));
      continue;
    }
    row.video = std::move(videos[next++]);
    // The server says so; of a file on the disk it was known before.
    if (IsUrl(row.path) && absl::IsNotFound(row.video.status)) {
      row.path.clear();
      continue;
    }
    const bool usable = row.video.status.ok();
    if (usable && !(row.several && HasWarnings(row.video, options.media.limits))) continue;
    OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> all, finder->All(list.videos[i]));
    for (const std::string& path : all) {
      if (path != row.path) others.emplace_back(i, path);
    }
  }
  if (others.empty()) return found;
  paths.clear();
  for (const auto& [row, path] : others) paths.push_back(path);
  IndexOptions again = options;
  again.rescan = false;
  OP3D_ASSIGN_OR_RETURN(videos, IndexVideos(paths, again, nullptr));
  for (size_t k = 0; k < others.size(); ++k) {
    Found& row = found[others[k].first];
    if (!IsBetter(videos[k], row.video)) continue;
    row.path = std::move(others[k].second);
    row.video = std::move(videos[k]);
  }
  return found;
}

// Zeros if nothing is there.
FileId IdentifyFile(const std::string& path) {
  if (IsUrl(path)) {
    const std::string hash = Sha256(path);
    FileId id;
    const bool good = absl::SimpleHexAtoi(hash.substr(0, 16), &id.first) &&
                      absl::SimpleHexAtoi(hash.substr(16, 16), &id.second);
    return good ? id : FileId();
  }
  const std::optional<TarPath> place = SplitTarPath(path);
  struct stat info;
  if (::stat((place.has_value() ? place->tar : path).c_str(), &info) != 0) return {};
  if (!place.has_value()) return {info.st_dev, info.st_ino};
  // A member is named by its tar and its position, which hard links share; a folder by its name.
  const auto shard = TarShard::Open(place->tar);
  if (!shard.ok()) return {};
  const absl::StatusOr<TarMember> member = (*shard)->Find(place->member);
  const std::string where = member.ok() ? absl::StrCat(member->start) : "/" + place->member;
  const std::string hash =
      Sha256(absl::StrCat(info.st_dev, " ", info.st_ino, " ", where)).substr(0, 16);
  uint64_t number = 0;
  return absl::SimpleHexAtoi(hash, &number) ? FileId(info.st_dev, number) : FileId();
}

// The identities of the videos' files.  Cancelled when a signal comes.
absl::StatusOr<std::vector<FileId>> IdentifyFiles(const std::vector<Found>& found, int threads) {
  std::vector<FileId> files(found.size());
  OP3D_RETURN_IF_ERROR(
      InParallel(threads, static_cast<int64_t>(found.size()), [&](int64_t i) -> absl::Status {
        if (!found[i].path.empty()) files[i] = IdentifyFile(found[i].path);
        return absl::OkStatus();
      }));
  return files;
}

// One file is one group, whatever its rows call it, and in a list of paths it has one label.  For
// an official list two labels are only a note, because the match of names and files is a guess.
absl::Status GroupRowsOfOneFile(const std::vector<FileId>& files, DatasetList* list,
                                std::vector<std::string>* notes) {
  absl::flat_hash_map<FileId, size_t> firsts;
  int64_t repeats = 0, other_labels = 0;
  std::string example, other_example;
  for (size_t i = 0; i < list->videos.size(); ++i) {
    if (files[i] == FileId()) continue;
    const auto [place, fresh] = firsts.emplace(files[i], i);
    if (fresh) continue;
    ListedVideo& first = list->videos[place->second];
    ListedVideo& video = list->videos[i];
    if (first.label != video.label && (++other_labels == 1 || !video.path.empty())) {
      other_example = absl::StrCat(
          list->Place(first), " (", first.name, ") and ", list->Place(video), " (", video.name,
          ") are one file, but have the labels ", first.label, " ('", list->classes[first.label],
          "') and ", video.label, " ('", list->classes[video.label], "')");
      if (!video.path.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat(other_example, "; a video has one label: take one of the rows out"));
      }
    }
    if (first.group.empty()) first.group = video.group.empty() ? first.name : video.group;
    video.group = first.group;
    if (++repeats == 1) {
      example = absl::StrCat(list->Place(video), " repeats ", list->Place(first), ", ", first.name);
    }
  }
  if (repeats > 0) {
    notes->push_back(
        absl::StrCat(list->list_path, ": ", repeats, repeats == 1 ? " row names" : " rows name",
                     " a video that is already in it (", example,
                     "); it counts once for each row, and its rows are held out together"));
  }
  if (other_labels > 0) {
    notes->push_back(
        absl::StrCat(other_labels, " of them with another label (first: ", other_example, ")"));
  }
  return absl::OkStatus();
}

void NoteUnreadable(absl::Span<const MediaIndex::Unreadable> folders,
                    std::vector<std::string>* notes) {
  for (size_t i = 0; i < folders.size() && i < kExamples; ++i) {
    const bool damaged = absl::IsDataLoss(folders[i].status);
    const bool closed = absl::IsPermissionDenied(folders[i].status);
    notes->push_back(absl::StrCat(folders[i].status.message(),
                                  damaged ? "; the videos after that place count as missing"
                                          : "; the videos in it count as missing",
                                  closed ? ": get the right to read it" : ""));
  }
  if (folders.size() > kExamples) {
    notes->push_back(
        absl::StrCat(folders.size() - kExamples, " more folders cannot be listed either"));
  }
}

VideoList Join(const DatasetList& dataset, std::vector<Found> found,
               const std::vector<FileId>& files, const MediaOptions& media) {
  const std::vector<ListedVideo>& listed = dataset.videos;
  VideoList list;
  list.listed = static_cast<int64_t>(listed.size());
  std::vector<std::string> missing, broken;
  for (size_t i = 0; i < listed.size(); ++i) {
    const ListedVideo& video = listed[i];
    IndexedVideo& indexed = found[i].video;
    if (indexed.status.ok()) {
      list.videos.push_back({video.name, std::move(found[i].path), video.label, indexed.frames,
                             std::move(indexed.scan), video.group, media.content, files[i]});
      if (IsUrl(list.videos.back().path)) list.videos.back().remote = media.remote;
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
  list.unlabelled = static_cast<int64_t>(dataset.unlabelled.size());
  list.listed += list.unlabelled;
  for (const ListedVideo& video : dataset.unlabelled) {
    list.left_out.push_back(
        {video.name, "", absl::StrCat("no label in ", dataset.Place(video)), true});
  }
  if (list.unlabelled > 0) {
    const ListedVideo& first = dataset.unlabelled[0];
    list.notes.push_back(absl::StrCat(
        dataset.list_path, ": ", list.unlabelled, list.unlabelled == 1 ? " row has" : " rows have",
        " no label and ", list.unlabelled == 1 ? "is" : "are", " left out (first: ", first.name,
        " in line ", first.line, ")"));
  }
  return list;
}

std::string JoinedNotes(const std::vector<std::string>& notes) {
  return notes.empty() ? "" : absl::StrCat(" (", absl::StrJoin(notes, "; "), ")");
}

// `media` is null if the folder is a URL.
absl::Status NothingUsable(const VideoList& found, const DatasetList& list,
                           const MediaIndex* media) {
  if (found.broken > 0) {
    return absl::DataLossError(absl::StrCat("none of the ", found.listed, " videos of ",
                                            list.list_path, " can be used: ", found.missing,
                                            " missing, ", found.broken, " broken (",
                                            absl::StrJoin(found.examples, "; "), ")"));
  }
  if (media == nullptr) {
    return absl::NotFoundError(absl::StrCat("none of the ", found.listed, " videos of ",
                                            list.list_path, " is at ", list.media_path, ": ",
                                            absl::StrJoin(found.examples, "; ")));
  }
  const ListedVideo& first = list.videos[0];
  const std::string looked_for =
      !first.path.empty() ? first.path
                          : absl::StrCat(first.label < 0 ? "" : list.classes[first.label] + "/",
                                         first.name, ".mp4");
  return absl::NotFoundError(absl::StrCat(
      "none of the ", found.listed, " videos of ", list.list_path, " is in ", list.media_path,
      ": searched for files such as '", looked_for, "' there and up to three folders below (or a ",
      "folder of frames of that name), and found ", media->files(), " videos in ", media->folders(),
      " folders", JoinedNotes(found.notes),
      media->files() == 0 ? "; download the videos into it, in class folders or not"
                          : "; their names must be those of the list, or the list is of another "
                            "split"));
}

}  // namespace

absl::StatusOr<VideoLimits> LimitsOf(const LoaderSettings& loader) {
  OP3D_RETURN_IF_ERROR(RequireAtLeast("loader.max_pixels", loader.max_pixels(), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("loader.max_frames", loader.max_frames(), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("loader.max_seconds", loader.max_seconds(), 0));
  VideoLimits limits;
  if (loader.max_pixels() > 0) {
    // With more pixels FFmpeg's sizes in bytes would overflow.
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
  OP3D_ASSIGN_OR_RETURN(index.media.limits, LimitsOf(loader));
  index.root = root;
  index.threads = threads;
  const bool flow = dataset.stream() == DatasetSettings::FLOW;
  index.media.content = flow ? FrameContent::kFlow : FrameContent::kPictures;
  OP3D_ASSIGN_OR_RETURN(index.media.remote, RemoteFiles::Make(dataset.remote()));
  Finder finder(list, root, flow, index.media.remote.get());
  // An unreadable media folder is an error, unless the list's paths make it unnecessary.
  if (list.videos[0].path.empty()) OP3D_RETURN_IF_ERROR(finder.Media().status());
  OP3D_ASSIGN_OR_RETURN(std::vector<Found> found, FindAll(list, &finder, index));
  std::vector<std::string> notes = std::move(list.notes);
  OP3D_ASSIGN_OR_RETURN(const std::vector<FileId> files, IdentifyFiles(found, threads));
  OP3D_RETURN_IF_ERROR(GroupRowsOfOneFile(files, &list, &notes));
  NoteUnreadable(finder.Unreadable(), &notes);
  VideoList usable = Join(list, std::move(found), files, index.media);
  usable.notes.insert(usable.notes.end(), notes.begin(), notes.end());
  if (usable.videos.empty()) {
    if (IsUrl(list.media_path)) return NothingUsable(usable, list, nullptr);
    OP3D_ASSIGN_OR_RETURN(const MediaIndex* const media, finder.Media());
    return NothingUsable(usable, list, media);
  }
  usable.classes = std::move(list.classes);
  const bool error = loader.on_bad_video() != LoaderSettings::SKIP &&
                     loader.on_bad_video() != LoaderSettings::SUBSTITUTE;
  if (usable.missing + usable.broken > 0 && error) {
    return absl::FailedPreconditionError(absl::StrCat(
        DescribeVideoList(usable, list.list_path), ": ", absl::StrJoin(usable.examples, "; "),
        JoinedNotes(usable.notes),
        "; complete the copy, or leave them out with on_bad_video (--set=loader.on_bad_video=SKIP, "
        "or --on_bad_video=skip)"));
  }
  return usable;
}

absl::Status CheckClassCount(const VideoList& list, const DatasetSettings& dataset,
                             absl::string_view name) {
  const int64_t count = static_cast<int64_t>(list.classes.size());
  if (count == dataset.classes()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, " has ", count, " classes, but dataset.classes is ", dataset.classes(),
      ": to train on this part of ", dataset.name(), " add --set=dataset.classes=", count,
      " (or set it in the dataset's textproto)"));
}

std::string CopyNote(const std::string& root) {
  constexpr size_t kLongest = 4096;
  const absl::StatusOr<std::string> text = ReadFile(JoinPath(root, kCopyNoteFile));
  if (!text.ok() || text->size() > kLongest) return "";
  const auto json = nlohmann::ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                          : "";
}

std::string VideoListText(absl::Span<const Video> videos) {
  std::string text;
  for (const Video& video : videos) absl::StrAppend(&text, video.name, "\t", video.label, "\n");
  return text;
}

uint32_t VideoListCrc32(absl::Span<const Video> videos) { return Crc32(VideoListText(videos)); }

std::string DescribeSharedVideos(absl::Span<const Video> train,
                                 absl::Span<const Video> evaluation) {
  absl::flat_hash_map<FileId, const Video*> files;
  absl::flat_hash_map<absl::string_view, const Video*> paths;
  for (const Video& video : train) {
    if (video.file != FileId()) files.emplace(video.file, &video);
    paths.emplace(video.path, &video);
  }
  int64_t shared = 0, other_labels = 0;
  std::string example;
  for (const Video& video : evaluation) {
    const auto file = video.file == FileId() ? files.end() : files.find(video.file);
    const auto path = paths.find(video.path);
    if (file == files.end() && path == paths.end()) continue;
    const Video& trained = file == files.end() ? *path->second : *file->second;
    if (++shared == 1) example = video.name;
    if (video.label >= 0 && video.label != trained.label) ++other_labels;
  }
  if (shared == 0) return "";
  return absl::StrCat(
      shared, " of ", evaluation.size(),
      " videos of the evaluation list are in the training list too (first: ", example,
      "): figures measured on training videos are too high",
      other_labels > 0 ? absl::StrCat("; ", other_labels, " of them with another label there")
                       : "");
}

std::string DescribeVideoList(const VideoList& list, absl::string_view name) {
  return absl::StrCat(
      name, ": ", list.videos.size(), " of ", list.listed, " listed videos used (", list.missing,
      " missing, ", list.broken, " broken",
      list.unlabelled > 0 ? absl::StrCat(", ", list.unlabelled, " without a label") : "", ")");
}

}  // namespace op3d::data
