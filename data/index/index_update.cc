#include "data/index/index_update.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "data/index/index_journal.h"
#include "data/index/scan_record.h"
#include "op3d/base/file.h"
#include "op3d/base/io/user_cache.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::data {
namespace {

// Whether the error is due to the file itself, so that another scan would find the same.
bool IsLasting(const absl::Status& status) {
  return status.ok() || absl::IsInvalidArgument(status) || absl::IsDataLoss(status) ||
         absl::IsUnimplemented(status);
}

// Whether the result of an earlier scan is within the current limits.
absl::Status CheckLimits(const IndexedVideo& video, const std::string& path,
                         const VideoLimits& limits) {
  const VideoLimits defaults;
  // An index that was made with the default limits, the usual case, contains nothing beyond them.
  if (limits.max_pixels >= defaults.max_pixels && limits.max_frames >= defaults.max_frames &&
      limits.max_seconds >= defaults.max_seconds) {
    return absl::OkStatus();
  }
  const absl::StatusOr<VideoScan> scan = DecodeScan(video.scan, limits.max_frames);
  if (!scan.ok()) return Annotate(scan.status(), path);
  const VideoInfo& info = scan->info;
  const std::string more = absl::StrCat(path, " is beyond loader.max_");
  if (int64_t{info.width} * info.height > limits.max_pixels) {
    return absl::ResourceExhaustedError(
        absl::StrCat(more, "pixels of ", limits.max_pixels, ": ", info.width, "x", info.height));
  }
  const double seconds =
      info.pts_seconds.empty() ? 0 : info.pts_seconds.back() - info.pts_seconds.front();
  if (seconds > limits.max_seconds) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%sseconds of %g: %g s", more, limits.max_seconds, seconds));
  }
  return absl::OkStatus();
}

constexpr char kEnding[] = ".op3d_index";

bool IsWritable(const std::string& folder) {
  struct stat info;
  // Check the permission bits too: for the superuser every folder is writable, even one that was
  // made read-only on purpose.
  return ::access(folder.c_str(), W_OK) == 0 && ::stat(folder.c_str(), &info) == 0 &&
         (info.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) != 0;
}

class IndexUpdate {
 public:
  IndexUpdate(absl::Span<const std::string> paths, const IndexOptions& options)
      : paths_(paths), options_(options), stamps_(paths.size()), index_(options.root) {}

  absl::Status Run(IndexReport* report) {
    OP3D_RETURN_IF_ERROR(Stamp());
    ReadIndex();
    std::vector<size_t> changed = FindChanged();
    if (!changed.empty() && !options_.file.empty() && !options_.read_only) {
      OP3D_RETURN_IF_ERROR(OpenJournal());
      changed = FindChanged();
    }
    report->scanned = static_cast<int64_t>(changed.size());
    report->known = static_cast<int64_t>(paths_.size() - changed.size());
    OP3D_RETURN_IF_ERROR(Scan(changed));
    return journal_ == nullptr ? absl::OkStatus() : Keep();
  }

  std::vector<IndexedVideo> TakeVideos() {
    std::vector<IndexedVideo> videos;
    videos.reserve(paths_.size());
    for (size_t i = 0; i < paths_.size(); ++i) {
      const IndexedVideo* video = index_.Find(paths_[i], options_.media.content);
      videos.push_back(video == nullptr ? IndexedVideo() : *video);
      if (video == nullptr) videos.back().status = unkept_[i];
      if (!videos.back().status.ok()) continue;
      videos.back().status = CheckLimits(videos.back(), paths_[i], options_.media.limits);
    }
    return videos;
  }

 private:
  absl::Status Stamp() {
    unkept_.resize(paths_.size());
    return InParallel(options_.threads, static_cast<int64_t>(paths_.size()), [&](int64_t i) {
      absl::StatusOr<FileStamp> stamp = StampMedia(paths_[i]);
      if (stamp.ok()) stamps_[i] = *stamp;
      unkept_[i] = stamp.status();
      return absl::OkStatus();
    });
  }

  void ReadIndex() {
    if (options_.file.empty() || damaged_) return;
    absl::StatusOr<VideoIndex> read = VideoIndex::Read(options_.file, options_.root);
    damaged_ = !read.ok();
    if (damaged_) {
      Progress::Print(absl::StrCat("rebuilt: ", read.status().message()));
      return;
    }
    index_ = *std::move(read);
    if (!options_.rescan) return;
    for (const std::string& path : paths_) index_.Erase(path, options_.media.content);
  }

  // Locks the journal; another process may have finished the index in the meantime.
  absl::Status OpenJournal() {
    absl::StatusOr<std::unique_ptr<IndexJournal>> opened =
        IndexJournal::Open(absl::StrCat(options_.file, ".journal"));
    if (absl::IsCancelled(opened.status())) return opened.status();
    if (!opened.ok()) {
      Progress::Print(absl::StrCat("the index is not kept: ", opened.status().message()));
      return absl::OkStatus();
    }
    journal_ = *std::move(opened);
    ReadIndex();
    for (const std::string& record : journal_->earlier()) {
      OP3D_RETURN_IF_ERROR(index_.InsertRecord(record));
    }
    return absl::OkStatus();
  }

  // The videos to scan.  Removes entries of files that no longer exist or have changed.
  std::vector<size_t> FindChanged() {
    std::vector<size_t> changed;
    for (size_t i = 0; i < paths_.size(); ++i) {
      const IndexedVideo* video = index_.Find(paths_[i], options_.media.content);
      if (video != nullptr && unkept_[i].ok() && video->stamp == stamps_[i]) continue;
      index_.Erase(paths_[i], options_.media.content);
      if (unkept_[i].ok()) changed.push_back(i);
    }
    return changed;
  }

  absl::Status Scan(const std::vector<size_t>& changed) {
    if (changed.empty()) return absl::OkStatus();
    Progress progress("scan", static_cast<int64_t>(changed.size()), "videos");
    return InParallel(options_.threads, static_cast<int64_t>(changed.size()), [&](int64_t k) {
      const size_t i = changed[k];
      IndexedVideo video = ScanOne(i);
      progress.Add(1);
      absl::MutexLock lock(&mutex_);
      if (!IsLasting(video.status)) {
        unkept_[i] = video.status;
        return absl::OkStatus();
      }
      if (journal_ != nullptr) {
        OP3D_RETURN_IF_ERROR(
            journal_->Append(index_.EncodeRecord(paths_[i], options_.media.content, video)));
      }
      index_.Insert(paths_[i], options_.media.content, std::move(video));
      return absl::OkStatus();
    });
  }

  IndexedVideo ScanOne(size_t i) const {
    IndexedVideo video;
    video.stamp = stamps_[i];
    const absl::StatusOr<VideoScan> scan = ScanMedia(paths_[i], options_.media);
    video.status = scan.status();
    if (scan.ok()) {
      video.frames = scan->info.frames;
      video.scan = EncodeScan(*scan);
    }
    return video;
  }

  absl::Status Keep() {
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(options_.file, index_.Serialize()));
    return journal_->Remove();
  }

  const absl::Span<const std::string> paths_;
  const IndexOptions& options_;
  std::vector<FileStamp> stamps_;
  // The errors of videos that are not stored in the index.
  std::vector<absl::Status> unkept_;
  std::unique_ptr<IndexJournal> journal_;
  bool damaged_ = false;
  absl::Mutex mutex_;
  // While scanning, the index and the journal are changed under `mutex_`.
  VideoIndex index_;
};

}  // namespace

absl::StatusOr<std::vector<IndexedVideo>> IndexVideos(absl::Span<const std::string> paths,
                                                      const IndexOptions& options,
                                                      IndexReport* report) {
  IndexReport ignored;
  IndexUpdate update(paths, options);
  OP3D_RETURN_IF_ERROR(update.Run(report == nullptr ? &ignored : report));
  return update.TakeVideos();
}

std::string DefaultIndexFile(const std::string& root, absl::string_view name) {
  if (IsWritable(root)) return JoinPath(root, absl::StrCat(name, kEnding));
  const std::string cache = UserCacheFolder();
  if (cache.empty() || !MakeFolders(cache).ok()) return "";
  return JoinPath(cache, absl::StrFormat("%s-%08x%s", name, Crc32(root), kEnding));
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenIndexed(const std::string& path,
                                                         absl::string_view scan,
                                                         const MediaOptions& options) {
  if (scan.empty()) return OpenMedia(path, options);
  absl::StatusOr<VideoScan> decoded = DecodeScan(scan, options.limits.max_frames);
  if (!decoded.ok()) return Annotate(decoded.status(), path);
  return OpenMedia(path, *std::move(decoded), options);
}

}  // namespace op3d::data
