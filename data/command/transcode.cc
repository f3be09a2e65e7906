#include "data/command/transcode.h"

#include <time.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/index/scan_record.h"
#include "data/video/media.h"
#include "data/video/remote/remote_url.h"
#include "data/video/stored/packed_video.h"
#include "data/video/tar/media_path.h"
#include "data/video/tar/tar_shard.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::data {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kMeasured = 15;
constexpr int64_t kClip = 16;
constexpr int64_t kLongestList = int64_t{256} << 20;

// CRC-32 of names and labels in any order, as the splits of one dataset have the same videos.
uint32_t ListCrc32(absl::Span<const Video> videos) {
  std::vector<Video> sorted;
  for (const Video& video : videos) sorted.push_back({video.name, "", video.label});
  std::sort(sorted.begin(), sorted.end(), [](const Video& a, const Video& b) {
    return std::tie(a.name, a.label) < std::tie(b.name, b.label);
  });
  return VideoListCrc32(sorted);
}

std::string Settings(absl::Span<const Video> videos, const TranscodeOptions& options) {
  const VideoCopyOptions& copy = options.copy;
  Json json = {{"form", std::string(VideoFormName(copy.form))}, {"short_side", copy.short_side}};
  if (copy.form == VideoForm::kPacked) {
    json["videos"] = videos.size();
    json["list_crc32"] = absl::StrFormat("%08x", ListCrc32(videos));
  } else {
    json["key_frame_distance"] = copy.key_frame_distance;
    json["crf"] = copy.crf;
    json["jpeg_quality"] = copy.jpeg_quality;
  }
  if (copy.flow != nullptr) {
    json["flow"] = copy.flow->method();
    json["flow_bound"] = copy.flow_bound;
  }
  // The dataset may be a copy itself.
  const std::string source = CopyNote(options.root);
  if (!source.empty()) json["source"] = Json::parse(source);
  return json.dump() + "\n";
}

// OK if `there`, the note of an existing copy, is `settings`.
absl::Status CompareSettings(const std::string& out, const std::string& there,
                             const std::string& settings) {
  if (there == settings) return absl::OkStatus();
  const Json old_json = Json::parse(there, nullptr, /*allow_exceptions=*/false);
  const Json new_json = Json::parse(settings);
  if (old_json.is_object() && new_json.contains("list_crc32") && old_json.contains("list_crc32") &&
      old_json["list_crc32"] != new_json["list_crc32"]) {
    return absl::FailedPreconditionError(absl::StrCat(
        out, " is a pack of another list: of ", old_json.value("videos", Json()).dump(),
        " videos (CRC-32 ", old_json["list_crc32"].dump(), "), not of these ",
        new_json["videos"].dump(), " (", new_json["list_crc32"].dump(),
        "); choose another folder, or remove it"));
  }
  return absl::FailedPreconditionError(absl::StrCat(out, " was made with other options: ", there,
                                                    "not ", settings, "choose another folder"));
}

// ResourceExhausted if the rest of the pack does not fit on the disk.
absl::Status CheckRoom(absl::Span<const Video> videos, const TranscodeOptions& options) {
  if (options.copy.form != VideoForm::kPacked) return absl::OkStatus();
  constexpr double kMib = 1 << 20;
  const PackSize pack = PackSizeOf(videos, options.copy);
  int64_t there = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(options.out, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored) && IsPackedName(it->path().string())) {
      there += static_cast<int64_t>(it->file_size(ignored));
    }
  }
  OP3D_ASSIGN_OR_RETURN(const int64_t free, FreeBytes(options.out));
  const std::string need = absl::StrFormat(
      "the pack of %d videos (%d frames) takes %.1f MiB, of which %.1f are there; %.1f MiB are "
      "free",
      pack.videos, pack.frames, static_cast<double>(pack.bytes) / kMib,
      static_cast<double>(there) / kMib, static_cast<double>(free) / kMib);
  if (pack.bytes - there > free) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options.out, ": ", need,
                     ": choose a larger disk, a smaller --short_side, or `dataset "
                     "transcode`, whose copy is compressed"));
  }
  Progress::Print(need);
  return absl::OkStatus();
}

absl::Status OpenFolder(absl::Span<const Video> videos, const TranscodeOptions& options) {
  std::error_code error;
  const fs::path root = fs::weakly_canonical(options.root, error);
  const fs::path out = fs::weakly_canonical(options.out, error);
  if (absl::StartsWith(absl::StrCat(out.string(), "/"), absl::StrCat(root.string(), "/"))) {
    return absl::InvalidArgumentError(absl::StrCat(options.out, " is inside the dataset's folder ",
                                                   options.root, "; choose another"));
  }
  const std::string file = JoinPath(options.out, kCopyNoteFile);
  const std::string settings = Settings(videos, options);
  if (FileExists(file)) {
    OP3D_ASSIGN_OR_RETURN(const std::string there, ReadFile(file));
    OP3D_RETURN_IF_ERROR(CompareSettings(options.out, there, settings));
    return CheckRoom(videos, options);
  }
  if (FolderExists(options.out)) {
    OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(options.out));
    if (!names.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(options.out, " holds something else (", names[0], "); choose a new folder"));
    }
  }
  // Before the note: with another size the same folder must still be free.
  OP3D_RETURN_IF_ERROR(CheckRoom(videos, options));
  OP3D_RETURN_IF_ERROR(MakeFolders(options.out));
  return WriteFileAtomically(file, settings);
}

bool IsList(const fs::directory_entry& entry) {
  std::error_code error;
  const std::string ending = entry.path().extension().string();
  return entry.is_regular_file(error) && entry.path().filename() != kCopyNoteFile &&
         (ending == ".csv" || ending == ".txt" || ending == ".json") &&
         static_cast<int64_t>(entry.file_size(error)) <= kLongestList;
}

absl::Status CopyLists(const fs::path& folder, const fs::path& out, bool folders_too) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const fs::path target = out / entry.path().filename();
    if (folders_too && entry.is_directory(error)) {
      OP3D_RETURN_IF_ERROR(CopyLists(entry.path(), target, false));
    } else if (IsList(entry)) {
      OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(entry.path().string()));
      OP3D_RETURN_IF_ERROR(MakeFolders(out.string()));
      OP3D_RETURN_IF_ERROR(WriteFileAtomically(target.string(), text));
    }
  }
  return absl::OkStatus();
}

// Bytes of a file, or of all files of a folder.
int64_t BytesOf(const std::string& path) {
  if (!MediaFolderExists(path)) return MediaFileBytes(path);
  int64_t bytes = 0;
  for (const TarShard::Entry& entry :
       ListMediaFolder(path).value_or(std::vector<TarShard::Entry>())) {
    bytes += BytesOf(JoinPath(path, entry.name));
  }
  return bytes;
}

double ThreadMilliseconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

// The time to read a clip from the middle, as in training, without the scan that an index stores.
absl::StatusOr<double> ClipMilliseconds(const std::string& path, const MediaOptions& media) {
  OP3D_ASSIGN_OR_RETURN(const VideoScan scan, ScanMedia(path, media));
  const int64_t length = std::min(kClip, scan.info.frames);
  std::vector<int64_t> frames(length);
  std::iota(frames.begin(), frames.end(), (scan.info.frames - length) / 2);
  const double start = ThreadMilliseconds();
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoReader> reader, OpenMedia(path, scan, media));
  OP3D_RETURN_IF_ERROR(
      reader->Read(frames, [](int64_t, const RgbImage&) { return absl::OkStatus(); }));
  return ThreadMilliseconds() - start;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

struct Outcome {
  absl::Status status;
  std::string target;
  bool earlier = false;
};

// Finds the path of each copy.  If several videos have the same copy ("a.avi" and "a.mp4"), only
// the first gets it, because it must not replace the others.
void FindTargets(absl::Span<const Video> videos, const TranscodeOptions& options,
                 std::vector<Outcome>* outcomes) {
  absl::flat_hash_map<std::string, size_t> firsts;
  for (size_t i = 0; i < videos.size(); ++i) {
    const std::string below = fs::path(videos[i].path).lexically_relative(options.root).string();
    Outcome& outcome = (*outcomes)[i];
    outcome.target = JoinPath(
        options.out, CopyPath(below, MediaFolderExists(videos[i].path), options.copy.form));
    const auto [first, fresh] = firsts.emplace(outcome.target, i);
    if (fresh) continue;
    outcome.status = absl::InvalidArgumentError(
        absl::StrCat(videos[i].path, " would have the same copy as ", videos[first->second].path,
                     ", ", outcome.target, "; give one of them another name"));
  }
}

// Whether the copy is complete.  A pack's file that is damaged (every frame has a checksum), or of a
// video with another number of frames, is made again.
bool IsThere(const std::string& target, const Video& video, const VideoCopyOptions& copy) {
  if (copy.form != VideoForm::kPacked) return FileExists(target) || FolderExists(target);
  const absl::StatusOr<VideoScan> scan = ScanMedia(target);
  if (!scan.ok() || scan->info.frames != video.frames) return false;
  const absl::StatusOr<std::unique_ptr<VideoReader>> reader = OpenMedia(target, *scan);
  if (!reader.ok()) return false;
  std::vector<int64_t> frames(video.frames);
  std::iota(frames.begin(), frames.end(), 0);
  return (*reader)->Read(frames, [](int64_t, const RgbImage&) { return absl::OkStatus(); }).ok();
}

bool IsTheVideosFault(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
         absl::IsOutOfRange(status);
}

absl::Status Measure(absl::Span<const Video> videos, const std::vector<Outcome>& outcomes,
                     const VideoCopyOptions& copy, TranscodeReport* report) {
  std::vector<double> before, after;
  const size_t step = std::max<size_t>(1, videos.size() / kMeasured);
  for (size_t i = 0; i < videos.size(); i += step) {
    if (!outcomes[i].status.ok()) continue;
    MediaOptions media;
    media.content = videos[i].content;
    OP3D_ASSIGN_OR_RETURN(before.emplace_back(), ClipMilliseconds(videos[i].path, media));
    if (copy.flow != nullptr) media.content = FrameContent::kFlow;
    OP3D_ASSIGN_OR_RETURN(after.emplace_back(), ClipMilliseconds(outcomes[i].target, media));
  }
  report->measured = static_cast<int>(before.size());
  report->clip_milliseconds_before = Median(std::move(before));
  report->clip_milliseconds_after = Median(std::move(after));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TranscodeReport> TranscodeVideos(absl::Span<const Video> videos,
                                                const TranscodeOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckVideoCopyOptions(options.copy));
  for (const Video& video : videos) {
    if (IsUrl(video.path)) {
      return absl::InvalidArgumentError(
          absl::StrCat(video.path,
                       " is a URL: a copy has the same lists, and this one would still "
                       "name the server; download the videos first"));
    }
    if (video.content != FrameContent::kPictures) {
      return absl::InvalidArgumentError(
          absl::StrCat(video.path,
                       " is optical flow already: to resize it or to encode it again would change "
                       "its moves. Make it "
                       "again from the videos with `dataset flow --short_side=N "
                       "--form=frames|lmdb`, or copy it as "
                       "it is"));
    }
  }
  OP3D_RETURN_IF_ERROR(OpenFolder(videos, options));
  OP3D_RETURN_IF_ERROR(CopyLists(options.root, options.out, /*folders_too=*/true));
  std::vector<Outcome> outcomes(videos.size());
  FindTargets(videos, options, &outcomes);
  {
    Progress progress(options.copy.flow == nullptr ? "transcode" : "flow",
                      static_cast<int64_t>(videos.size()), "videos");
    OP3D_RETURN_IF_ERROR(InParallel(
        options.threads, static_cast<int64_t>(videos.size()), [&](int64_t i) -> absl::Status {
          Outcome& outcome = outcomes[i];
          if (!outcome.status.ok()) {
            progress.Add(1);
            return absl::OkStatus();
          }
          outcome.earlier = IsThere(outcome.target, videos[i], options.copy);
          if (outcome.earlier) {
            progress.AddEarlier(1);
            return absl::OkStatus();
          }
          outcome.status = CopyVideo(videos[i], options.copy, outcome.target);
          progress.Add(1);
          if (!outcome.status.ok() && !IsTheVideosFault(outcome.status)) return outcome.status;
          return absl::OkStatus();
        }));
  }
  TranscodeReport report;
  for (size_t i = 0; i < videos.size(); ++i) {
    if (!outcomes[i].status.ok()) {
      report.failed.push_back(
          {videos[i].name, videos[i].path, std::string(outcomes[i].status.message())});
      continue;
    }
    ++(outcomes[i].earlier ? report.earlier : report.written);
    report.bytes_before += BytesOf(videos[i].path);
    report.bytes_after += BytesOf(outcomes[i].target);
  }
  OP3D_RETURN_IF_ERROR(Measure(videos, outcomes, options.copy, &report));
  return report;
}

PackSize PackSizeOf(absl::Span<const Video> videos, const VideoCopyOptions& copy) {
  PackSize size;
  size.videos = static_cast<int64_t>(videos.size());
  for (const Video& video : videos) {
    const absl::StatusOr<VideoScan> scan = video.scan.empty()
                                               ? ScanMedia(video.path)
                                               : DecodeScan(video.scan, VideoLimits().max_frames);
    if (!scan.ok()) continue;
    const PictureSize picture = CopySize(scan->info.width, scan->info.height, copy);
    size.frames += scan->info.frames;
    size.bytes += PackedBytes({scan->info.frames, picture.width, picture.height});
  }
  return size;
}

std::string TranscodeReportText(const TranscodeReport& report) {
  std::string text = absl::StrFormat(
      "%d videos written, %d were there, %d cannot be read\n"
      "%.1f MiB became %.1f MiB\n"
      "a clip of 16 frames costs %.1f ms of processor time instead of %.1f (median of %d videos)",
      report.written, report.earlier, report.failed.size(),
      static_cast<double>(report.bytes_before) / (1 << 20),
      static_cast<double>(report.bytes_after) / (1 << 20), report.clip_milliseconds_after,
      report.clip_milliseconds_before, report.measured);
  for (const LeftOutVideo& video : report.failed) {
    absl::StrAppend(&text, "\n  ", video.name, ": ", video.reason);
  }
  return text;
}

std::string TranscodeReportJson(const TranscodeReport& report) {
  Json failed = Json::array();
  for (const LeftOutVideo& video : report.failed) {
    failed.push_back({{"name", video.name}, {"path", video.path}, {"reason", video.reason}});
  }
  const Json json = {{"written", report.written},
                     {"earlier", report.earlier},
                     {"bytes_before", report.bytes_before},
                     {"bytes_after", report.bytes_after},
                     {"clip_milliseconds_before", report.clip_milliseconds_before},
                     {"clip_milliseconds_after", report.clip_milliseconds_after},
                     {"measured", report.measured},
                     {"failed", std::move(failed)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace op3d::data
