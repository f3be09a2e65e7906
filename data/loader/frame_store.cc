#include "data/loader/frame_store.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/index/index_update.h"
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

FrameStore::FrameStore(int64_t budget_bytes, const VideoLimits& limits)
    : budget_(budget_bytes), limits_(limits) {}

absl::Status FrameStore::Read(const Video& video, absl::Span<const int64_t> indices,
                              absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) {
  return ReadParts(video, indices, Whole, [&](int64_t index, const RgbImage& image, const Box&) {
    return sink(index, image);
  });
}

absl::Status FrameStore::ReadParts(const Video& video, absl::Span<const int64_t> indices,
                                   PartOf part_of, PartSink sink) {
  if (indices.empty()) return absl::OkStatus();
  if (budget_ <= 0) return ReadWanted(video, /*reader=*/nullptr, indices, part_of, sink);
  Entry* entry = nullptr;
  bool first = false;
  Entry::State state;
  {
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<Entry>& place = entries_[video.path];
    if (place == nullptr) {
      place = std::make_unique<Entry>();
      first = true;
    }
    entry = place.get();
    if (!first) {
      mutex_.Await(absl::Condition(
          +[](Entry* asked) { return asked->state != Entry::State::kDecoding; }, entry));
    }
    state = entry->state;
    if (state == Entry::State::kKept) ++counters_.hits;
  }
  std::unique_ptr<VideoReader> reader;
  if (first) {
    const absl::Status status = Keep(video, entry, &reader);
    absl::MutexLock lock(&mutex_);
    state = status.ok() && !entry->frames.empty() ? Entry::State::kKept : Entry::State::kPassed;
    entry->state = state;
    if (state == Entry::State::kKept) ++counters_.kept;
    if (!status.ok()) return status;
  }
  if (state == Entry::State::kKept) return ReadKept(video, entry->frames, indices, part_of, sink);
  return ReadWanted(video, std::move(reader), indices, part_of, sink);
}

absl::Status FrameStore::Keep(const Video& video, Entry* entry,
                              std::unique_ptr<VideoReader>* reader) {
  const Clock::time_point start = Clock::now();
  absl::StatusOr<std::unique_ptr<VideoReader>> opened =
      OpenIndexed(video.path, video.scan, {limits_, video.content, video.remote});
  if (!opened.ok()) return opened.status();
  *reader = *std::move(opened);
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
      CountReading(**reader);
    } else {
      Release(bytes);
    }
  }
  CountDecoding(SecondsSince(start));
  return absl::OkStatus();
}

absl::Status FrameStore::ReadWanted(const Video& video, std::unique_ptr<VideoReader> reader,
                                    absl::Span<const int64_t> indices, PartOf part_of,
                                    PartSink sink) {
  const Clock::time_point start = Clock::now();
  double callers_seconds = 0;
  absl::Status status;
  if (reader == nullptr) {
    absl::StatusOr<std::unique_ptr<VideoReader>> opened =
        OpenIndexed(video.path, video.scan, {limits_, video.content, video.remote});
    status = opened.status();
    if (opened.ok()) reader = *std::move(opened);
  }
  Box part;
  if (status.ok()) {
    const Clock::time_point asked = Clock::now();
    const absl::StatusOr<Box> wanted = part_of(reader->info().width, reader->info().height);
    callers_seconds += SecondsSince(asked);
    status = wanted.ok() ? reader->SetBox(*wanted) : wanted.status();
    if (status.ok()) part = *wanted;
  }
  if (status.ok()) {
    status = reader->Read(indices, [&](int64_t index, const RgbImage& image) {
      const Clock::time_point handed = Clock::now();
      const absl::Status used = sink(index, image, part);
      callers_seconds += SecondsSince(handed);
      return used;
    });
  }
  CountDecoding(SecondsSince(start) - callers_seconds);
  if (reader != nullptr) CountReading(*reader);
  absl::MutexLock lock(&mutex_);
  ++counters_.passed;
  return status;
}

bool FrameStore::Reserve(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (bytes > budget_ - counters_.bytes) return false;
  counters_.bytes += bytes;
  return true;
}

void FrameStore::Release(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  counters_.bytes -= bytes;
}

void FrameStore::CountDecoding(double seconds) {
  absl::MutexLock lock(&mutex_);
  counters_.decode_seconds += seconds;
}

void FrameStore::CountReading(const VideoReader& reader) {
  const VideoReader::Counters& own = reader.counters();
  absl::MutexLock lock(&mutex_);
  VideoReader::Counters& all = counters_.reading;
  all.packets += own.packets;
  all.decoded += own.decoded;
  all.converted += own.converted;
  all.seeks += own.seeks;
  all.rewinds += own.rewinds;
}

FrameStore::Counters FrameStore::counters() const {
  absl::MutexLock lock(&mutex_);
  return counters_;
}

}  // namespace op3d::data
