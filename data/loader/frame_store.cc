#include "data/loader/frame_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/index/index_update.h"
#include "data/video/file/nvdec.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Box Whole(int width, int height) { return {0, 0, width, height}; }

absl::Status ReadKept(const Video& video, const std::vector<RgbImage>& frames,
                      absl::Span<const int64_t> indices, FrameStore::PartOf part_of,
                      FrameStore::PartSink sink) {
  const Box whole = Whole(frames[0].width, frames[0].height);
  OP3D_ASSIGN_OR_RETURN(const Box part, part_of(whole.width, whole.height));
  OP3D_RETURN_IF_ERROR(CheckBox(part, whole.width, whole.height));
  for (const int64_t index : indices) {
    if (index < 0 || index >= static_cast<int64_t>(frames.size())) {
      return absl::OutOfRangeError(
          absl::StrCat(video.path, ": frame ", index, " of a video of ", frames.size(), " frames"));
    }
    OP3D_RETURN_IF_ERROR(sink(index, frames[index], whole));
  }
  return absl::OkStatus();
}

}  // namespace

FrameStore::FrameStore(int64_t budget_bytes, const VideoLimits& limits, const Decoding& decoding)
    : budget_(budget_bytes), limits_(limits), decoding_(decoding) {}

absl::StatusOr<std::unique_ptr<FrameStore>> FrameStore::Make(const LoaderSettings& loader,
                                                             const TransformSettings& transform,
                                                             int gpu) {
  OP3D_ASSIGN_OR_RETURN(const VideoLimits limits, LimitsOf(loader));
  if (!LoaderSettings::Decode_IsValid(loader.decode())) {
    return absl::InvalidArgumentError(absl::StrCat("loader.decode is ",
                                                   static_cast<int>(loader.decode()),
                                                   "; it must be EXACT, FAST or NVDEC"));
  }
  Decoding decoding;
  decoding.fast = loader.decode() == LoaderSettings::FAST;
  if (loader.decode() == LoaderSettings::NVDEC) {
    OP3D_ASSIGN_OR_RETURN(decoding.nvdec, Nvdec::Open(gpu));
  }
  decoding.least_short_side = std::max(
      {transform.train_crop(), transform.search_short_side(), transform.test_short_side()});
  return std::make_unique<FrameStore>(int64_t{loader.frame_cache_mib()} << 20, limits, decoding);
}

MediaOptions FrameStore::OptionsFor(const Video& video) const {
  return {limits_, video.content, video.remote, decoding_};
}

absl::Status FrameStore::Read(const Video& video, absl::Span<const int64_t> indices,
                              absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) {
  return ReadParts(video, indices, Whole, [&](int64_t index, const RgbImage& image, const Box&) {
    return sink(index, image);
  });
}

absl::Status FrameStore::ReadParts(const Video& video, absl::Span<const int64_t> indices,
                                   PartOf part_of, PartSink sink) {
  const auto unused = [](int64_t, const YuvPicture&) { return absl::OkStatus(); };
  return ReadPlanesOrParts(
      video, indices, part_of, [] { return false; }, unused, sink);
}

absl::Status FrameStore::ReadPlanesOrParts(const Video& video, absl::Span<const int64_t> indices,
                                           PartOf part_of, absl::FunctionRef<bool()> planes_wanted,
                                           PlanesSink planes_sink, PartSink sink) {
  if (indices.empty()) return absl::OkStatus();
  if (budget_ <= 0) {
    return ReadWanted(video, /*reader=*/nullptr, indices, part_of, planes_wanted, planes_sink,
                      sink);
  }
  bool first = false;
  Entry::State state;
  Entry* const entry = FindEntry(video, &first, &state);
  std::unique_ptr<VideoReader> reader;
  if (first) {
    const absl::Status status = Keep(video, entry, &reader);
    state = status.ok() && !entry->frames.empty() ? Entry::State::kKept : Entry::State::kPassed;
    {
      absl::MutexLock lock(&mutex_);
      entry->state = state;
    }
    if (state == Entry::State::kKept) Count([](Counters* counters) { ++counters->kept; });
    if (!status.ok()) return status;
  } else if (state == Entry::State::kKept) {
    Count([](Counters* counters) { ++counters->hits; });
  }
  if (state == Entry::State::kKept) return ReadKept(video, entry->frames, indices, part_of, sink);
  return ReadWanted(video, std::move(reader), indices, part_of, planes_wanted, planes_sink, sink);
}

FrameStore::Entry* FrameStore::FindEntry(const Video& video, bool* first, Entry::State* state) {
  {
    // After the first epoch threads only read, and do not wait for each other.
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = entries_.find(video.path);
    if (found != entries_.end() && found->second->state != Entry::State::kDecoding) {
      *state = found->second->state;
      return found->second.get();
    }
  }
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<Entry>& place = entries_[video.path];
  *first = place == nullptr;
  if (*first) place = std::make_unique<Entry>();
  Entry* const entry = place.get();
  if (!*first) {
    mutex_.Await(absl::Condition(
        +[](Entry* asked) { return asked->state != Entry::State::kDecoding; }, entry));
  }
  *state = entry->state;
  return entry;
}

absl::Status FrameStore::Keep(const Video& video, Entry* entry,
                              std::unique_ptr<VideoReader>* reader) {
  const Clock::time_point start = Clock::now();
  absl::StatusOr<std::unique_ptr<VideoReader>> opened =
      OpenIndexed(video.path, video.scan, OptionsFor(video));
  if (!opened.ok()) return opened.status();
  *reader = *std::move(opened);
  if ((*reader)->IsInMemory()) {
    return absl::OkStatus();
  }
  const VideoInfo& info = (*reader)->info();
  const int64_t bytes = info.frames * info.width * info.height * 3;
  if (Reserve(bytes)) {
    std::vector<int64_t> all(info.frames);
    for (int64_t k = 0; k < info.frames; ++k) all[k] = k;
    std::vector<RgbImage> frames;
    frames.reserve(all.size());
    const absl::Status status = (*reader)->Read(all, [&](int64_t, const RgbImage& image) {
      frames.push_back(image);
      return absl::OkStatus();
    });
    // A partly damaged video may still have the requested frames: it is not kept, but not refused.
    if (status.ok()) {
      entry->frames = std::move(frames);
      // If it is not kept, the reader is used further and counted at its end.
      CountReader(video, **reader);
    } else {
      bytes_ -= bytes;
    }
  }
  Count([&](Counters* counters) { counters->decode_seconds += SecondsSince(start); });
  return absl::OkStatus();
}

absl::Status FrameStore::ReadWanted(const Video& video, std::unique_ptr<VideoReader> reader,
                                    absl::Span<const int64_t> indices, PartOf part_of,
                                    absl::FunctionRef<bool()> planes_wanted, PlanesSink planes_sink,
                                    PartSink sink) {
  const Clock::time_point start = Clock::now();
  double callers_seconds = 0;
  const auto timed = [&callers_seconds](absl::FunctionRef<absl::Status()> use) {
    const Clock::time_point handed = Clock::now();
    const absl::Status used = use();
    callers_seconds += SecondsSince(handed);
    return used;
  };
  absl::Status status;
  if (reader == nullptr) {
    absl::StatusOr<std::unique_ptr<VideoReader>> opened =
        OpenIndexed(video.path, video.scan, OptionsFor(video));
    status = opened.status();
    if (opened.ok()) reader = *std::move(opened);
  }
  Box part;
  if (status.ok()) {
    status = timed([&]() -> absl::Status {
      OP3D_ASSIGN_OR_RETURN(part, part_of(reader->info().width, reader->info().height));
      return reader->SetBox(part);
    });
  }
  bool done = false;
  if (status.ok() && planes_wanted()) {
    const absl::StatusOr<bool> given =
        reader->ReadPlanes(indices, [&](int64_t index, const YuvPicture& picture) {
          return timed([&] { return planes_sink(index, picture); });
        });
    status = given.status();
    done = given.ok() && *given;
  }
  if (status.ok() && !done) {
    status = reader->Read(indices, [&](int64_t index, const RgbImage& image) {
      return timed([&] { return sink(index, image, part); });
    });
  }
  const double seconds = SecondsSince(start) - callers_seconds;
  Count([&](Counters* counters) {
    counters->decode_seconds += seconds;
    ++counters->passed;
  });
  if (reader != nullptr) CountReader(video, *reader);
  return status;
}

bool FrameStore::Reserve(int64_t bytes) {
  int64_t used = bytes_;
  while (bytes <= budget_ - used) {
    if (bytes_.compare_exchange_weak(used, used + bytes)) return true;
  }
  return false;
}

void FrameStore::CountReader(const Video& video, const VideoReader& reader) {
  Count([&](Counters* counters) { counters->reading += reader.counters(); });
  if (reader.counters().software == 0) return;
  absl::MutexLock lock(&software_mutex_);
  software_.insert(video.name);
}

std::string FrameStore::SoftwareNote() const {
  absl::MutexLock lock(&software_mutex_);
  if (software_.empty()) return "";
  return absl::StrCat(
      software_.size(), software_.size() == 1 ? " video was" : " videos were",
      " decoded on the CPU, because NVDEC or the GPU refused it (codec, pixels, size, memory); ",
      "the first: ", *software_.begin());
}

void FrameStore::Count(absl::FunctionRef<void(Counters*)> add) {
  static std::atomic<size_t> threads{0};
  thread_local const size_t own = threads++ % kShards;
  absl::MutexLock lock(&shards_[own].mutex);
  add(&shards_[own].counters);
}

FrameStore::Counters FrameStore::counters() const {
  Counters all;
  for (Shard& shard : shards_) {
    absl::MutexLock lock(&shard.mutex);
    const Counters& own = shard.counters;
    all.hits += own.hits;
    all.kept += own.kept;
    all.passed += own.passed;
    all.decode_seconds += own.decode_seconds;
    all.reading += own.reading;
  }
  all.bytes = bytes_;
  return all;
}

}  // namespace op3d::data
