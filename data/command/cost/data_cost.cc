#include "data/command/cost/data_cost.h"

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/command/transcode.h"
#include "data/command/video_copy.h"
#include "data/index/scan_record.h"
#include "data/loader/frame_store.h"
#include "data/loader/loader.h"
#include "data/video/media.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr size_t kMeasured = 6, kCopied = 3;
// Longer videos are not copied only to measure.
constexpr int64_t kLongestCopied = 2000;
constexpr double kNotable = 0.05;
// A pack is for sets that a machine's memory can hold.
constexpr int64_t kLargestPack = int64_t{64} << 30;

// A thread that waits for a GPU's decoder is as busy as one that decodes.
double ThreadSeconds(const LoaderSettings& loader) {
  const bool waits = loader.decode() == LoaderSettings::NVDEC;
  timespec now = {};
  ::clock_gettime(waits ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Up to `count` videos, evenly spaced.
std::vector<Video> Spaced(const std::vector<Video>& videos, size_t count) {
  std::vector<Video> chosen;
  for (size_t i = 0; i < std::min(count, videos.size()); ++i) {
    chosen.push_back(videos[i * videos.size() / std::min(count, videos.size())]);
  }
  return chosen;
}

// The mean over two epochs, after one that fills the store and warms everything up.
absl::StatusOr<double> ClipSeconds(const std::vector<Video>& videos, const ClipShape& shape,
                                   const LoaderSettings& loader, const TransformSettings& transform,
                                   bool gpu) {
  OP3D_ASSIGN_OR_RETURN(const auto store, FrameStore::Make(loader, transform));
  TrainLoaderOptions options;
  options.shape = shape;
  options.transform = transform;
  options.on_short_video = loader.on_short_video();
  options.on_bad_video = loader.on_bad_video();
  options.batch_size = 1;
  options.bytes = options.planes = gpu;
  double seconds = 0;
  int64_t clips = 0;
  Batch batch;
  for (options.epoch = 0; options.epoch < 3; ++options.epoch) {
    OP3D_ASSIGN_OR_RETURN(const auto epoch, ClipLoader::ForTraining(videos, store.get(), options));
    const double start = ThreadSeconds(loader);
    for (;;) {
      OP3D_ASSIGN_OR_RETURN(const bool more, epoch->Next(&batch));
      if (!more) break;
      if (options.epoch > 0) ++clips;
    }
    if (options.epoch > 0) seconds += ThreadSeconds(loader) - start;
  }
  return seconds / static_cast<double>(std::max<int64_t>(clips, 1));
}

// Bytes of all the videos decoded.
int64_t DecodedBytes(const std::vector<Video>& videos) {
  VideoCopyOptions whole;
  whole.short_side = 8192;
  return PackSizeOf(videos, whole).bytes;
}

// Copies of `videos` in `folder`.
absl::StatusOr<std::vector<Video>> Copies(const std::vector<Video>& videos,
                                          const VideoCopyOptions& options,
                                          const std::string& folder, int64_t* bytes) {
  std::vector<Video> copies;
  for (const Video& video : videos) {
    const std::string target =
        CopyPath(JoinPath(folder, absl::StrCat(copies.size())), /*is_folder=*/true, options.form);
    const absl::Status copied = CopyVideo(video, options, target);
    // A video that does not decode has no copy.
    if (absl::IsDataLoss(copied)) continue;
    OP3D_RETURN_IF_ERROR(copied);
    OP3D_ASSIGN_OR_RETURN(const VideoScan scan, ScanMedia(target));
    copies.push_back({video.name, target, video.label, scan.info.frames, EncodeScan(scan)});
    std::error_code error;
    const uintmax_t size = std::filesystem::file_size(target, error);
    if (!error) *bytes += static_cast<int64_t>(size);
  }
  return copies;
}

absl::Status MeasureCopies(const std::vector<Video>& videos, const ClipShape& shape,
                           const LoaderSettings& loader, const TransformSettings& transform,
                           DataCost* cost) {
  std::vector<Video> copied;
  int64_t copied_frames = 0, frames = 0;
  for (const Video& video : videos) frames += video.frames;
  for (const Video& video : Spaced(videos, kMeasured)) {
    if (copied.size() == kCopied || video.frames > kLongestCopied ||
        video.content != FrameContent::kPictures) {
      continue;
    }
    copied.push_back(video);
    copied_frames += video.frames;
  }
  if (copied.empty()) return absl::OkStatus();
  std::error_code error;
  const std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no temporary folder: ", error.message()));
  }
  std::string folder = JoinPath(temporary.string(), "op3d_copies_XXXXXX");
  if (::mkdtemp(folder.data()) == nullptr) return ErrnoStatus(errno, "cannot make folder", folder);
  const auto remove = absl::MakeCleanup([&folder] {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
  });
  LoaderSettings uncached = loader;
  uncached.set_frame_cache_mib(0);
  VideoCopyOptions options;
  options.short_side = cost->short_side;
  int64_t bytes = 0;
  OP3D_ASSIGN_OR_RETURN(const std::vector<Video> files, Copies(copied, options, folder, &bytes));
  OP3D_ASSIGN_OR_RETURN(cost->transcoded_seconds,
                        ClipSeconds(files, shape, uncached, transform, /*gpu=*/false));
  OP3D_ASSIGN_OR_RETURN(cost->gpu_transcoded_seconds,
                        ClipSeconds(files, shape, uncached, transform, /*gpu=*/true));
  cost->transcoded_bytes =
      static_cast<int64_t>(static_cast<double>(bytes) * static_cast<double>(frames) /
                           static_cast<double>(std::max<int64_t>(copied_frames, 1)));
  options.form = VideoForm::kPacked;
  cost->packed_bytes = PackSizeOf(videos, options).bytes;
  OP3D_ASSIGN_OR_RETURN(const std::vector<Video> packs, Copies(copied, options, folder, &bytes));
  OP3D_ASSIGN_OR_RETURN(cost->packed_seconds,
                        ClipSeconds(packs, shape, uncached, transform, /*gpu=*/false));
  return absl::OkStatus();
}

std::string Size(int64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1024 ? absl::StrFormat("%.0f MiB", mib) : absl::StrFormat("%.1f GiB", mib / 1024);
}

// The cost with a GPU's own times in place of the CPU's.
DataCost ForGpu(const DataCost& cost, const DataCostContext& context) {
  DataCost result = cost;
  if (context.mixes) return result;
  if (cost.gpu_seconds > 0) result.seconds = cost.gpu_seconds;
  if (cost.gpu_transcoded_seconds > 0) result.transcoded_seconds = cost.gpu_transcoded_seconds;
  return result;
}

// Whether the copy is worth its disk.
bool Helps(const DataCost& cost, double copy_seconds) {
  return copy_seconds > 0 && copy_seconds <= 0.9 * cost.seconds;
}

// Clips per second: three digits are more than a measurement of a few videos has.
std::string Rate(double clips) {
  return clips < 100 ? absl::StrFormat("%.1f", clips) : absl::StrFormat("%.0f", clips);
}

// What the loaders give, and what a GPU that trains `gpu_clips` clips per second needs.
std::string DescribeFeed(const DataCost& cost, absl::string_view gpu, double gpu_clips,
                         int threads) {
  const auto needed = [&](double seconds) {
    return std::max<int64_t>(1, std::llround(std::ceil(gpu_clips * seconds - 1e-9)));
  };
  std::string copies;
  const auto add = [&](absl::string_view what, double seconds) {
    if (!Helps(cost, seconds)) return;
    absl::StrAppend(&copies, copies.empty() ? " (from " : ", from ", what, " ", needed(seconds));
  };
  add("a transcoded copy", cost.transcoded_seconds);
  if (cost.packed_bytes <= kLargestPack) add("a pack", cost.packed_seconds);
  return absl::StrCat(threads, threads == 1 ? " loader thread gives " : " loader threads give ",
                      Rate(threads / cost.seconds), " clips/s; ", gpu, " ", Rate(gpu_clips),
                      " clips/s and needs ", needed(cost.seconds), copies,
                      copies.empty() ? "" : ")", "\n");
}

}  // namespace

absl::StatusOr<DataCost> MeasureDataCost(const std::vector<Video>& videos, const ClipShape& shape,
                                         const LoaderSettings& loader,
                                         const TransformSettings& transform) {
  DataCost cost;
  const std::vector<Video> measured = Spaced(videos, kMeasured);
  cost.frames = static_cast<int>(shape.length());
  cost.videos = static_cast<int>(measured.size());
  cost.kept = DecodedBytes(videos) <= int64_t{loader.frame_cache_mib()} << 20;
  LoaderSettings settings = loader;
  if (!cost.kept) settings.set_frame_cache_mib(0);
  OP3D_ASSIGN_OR_RETURN(cost.seconds,
                        ClipSeconds(measured, shape, settings, transform, /*gpu=*/false));
  OP3D_ASSIGN_OR_RETURN(cost.gpu_seconds,
                        ClipSeconds(measured, shape, settings, transform, /*gpu=*/true));
  cost.short_side = std::max(
      {16, transform.train_crop(), transform.search_short_side(), transform.test_short_side()});
  // A full temporary folder is no reason to refuse the rest of an estimate.
  const absl::Status copies = MeasureCopies(videos, shape, loader, transform, &cost);
  if (absl::IsCancelled(copies)) return copies;
  return cost;
}

double DataShare(double clip_seconds, const DataCostContext& context) {
  if (clip_seconds <= 0) return 0;
  if (context.gpu_loaders == 0) return clip_seconds / (clip_seconds + context.step_seconds);
  const double loaders = clip_seconds / context.gpu_loaders;
  return std::max(0.0, loaders - context.step_seconds) / std::max(loaders, context.step_seconds);
}

std::string DescribeDataCost(const absl::StatusOr<DataCost>& measured,
                             const DataCostContext& context) {
  if (!measured.ok())
    return absl::StrCat("data: not measured: ", measured.status().message(), "\n");
  const DataCost cost = context.gpu_loaders > 0 ? ForGpu(*measured, context) : *measured;
  const auto percent = [&](double seconds) { return 100 * DataShare(seconds, context); };
  std::string text = absl::StrFormat(
      "data: a clip of %d frames costs %.2f ms of processor time (%d videos measured%s), %.0f %% "
      "of "
      "the training%s\n",
      cost.frames, 1000 * cost.seconds, cost.videos,
      cost.kept ? ", kept in memory after the first epoch" : "", percent(cost.seconds),
      context.gpu_loaders == 0 ? "" : " waits for it");
  const bool notable = DataShare(cost.seconds, context) > kNotable;
  if (context.gpu_loaders > 0 && notable && context.step_seconds > 0) {
    absl::StrAppend(&text, "  warning: the GPU is not fed: ",
                    DescribeFeed(cost, "it trains", 1 / context.step_seconds, context.gpu_loaders));
  } else if (context.gpu_loaders == 0 && context.threads > 0 && context.gpu_clips > 0 &&
             cost.seconds > 0) {
    absl::StrAppend(&text, "  on a GPU: ",
                    DescribeFeed(ForGpu(cost, context), "an H200 would train about",
                                 context.gpu_clips, context.threads));
  }
  if (!notable) return text;
  const auto add = [&](absl::string_view what, double seconds, int64_t bytes,
                       absl::string_view command) {
    if (!Helps(cost, seconds)) return;
    absl::StrAppendFormat(
        &text,
        "  with %s: %.2f ms (%.0f %%), about %s of disk: dataset %s %s --dataset=%s "
        "--short_side=%d --output_dir=NEW\n",
        what, 1000 * seconds, percent(seconds), Size(bytes), command, context.root, context.dataset,
        cost.short_side);
  };
  add("a transcoded copy", cost.transcoded_seconds, cost.transcoded_bytes, "transcode");
  if (cost.packed_bytes <= kLargestPack) {
    add("a pack", cost.packed_seconds, cost.packed_bytes, "pack");
  }
  return text;
}

}  // namespace op3d::data
