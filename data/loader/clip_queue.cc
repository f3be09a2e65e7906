#include "data/loader/clip_queue.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

constexpr size_t kExamples = 10;
constexpr double kLargestBatch = 64.0 * (1 << 30);

using Clock = std::chrono::steady_clock;

// Enough batches that every worker has a video while the caller uses a finished batch.
int64_t Depth(const ClipQueueOptions& options, int64_t values_per_video) {
  const int64_t useful =
      std::max<int64_t>(2, (options.threads + options.batch_size - 1) / options.batch_size + 1);
  int64_t size = options.make_bytes == nullptr ? int64_t{sizeof(float)} : 1;
  if (options.planes) size *= kMostPlaneBytes;
  const int64_t bytes = values_per_video * options.batch_size * size;
  return std::clamp<int64_t>(options.prefetch_bytes / bytes, 1, useful);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ClipQueue>> ClipQueue::Make(ClipQueueOptions options,
                                                           MakeViews make_views) {
  const double floats =
      3.0 * options.views * options.frames * static_cast<double>(options.size) * options.size;
  const double bytes = floats * options.batch_size * sizeof(float);
  if (bytes > kLargestBatch) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a batch of ", options.batch_size, " videos with ", options.views, " views of ",
        options.frames, " frames of ", options.size, "x", options.size, " pixels would take ",
        static_cast<int64_t>(bytes / (1 << 30)), " GiB; at most 64 are allowed"));
  }
  std::unique_ptr<ClipQueue> queue(
      new ClipQueue(std::move(options), std::move(make_views), static_cast<int64_t>(floats)));
  const int64_t videos = static_cast<int64_t>(queue->options_.order.size());
  const int64_t threads = std::min<int64_t>(queue->options_.threads, videos);
  for (int64_t i = 0; i < threads; ++i) {
    queue->workers_.emplace_back([raw = queue.get()] { raw->Work(); });
  }
  return queue;
}

ClipQueue::ClipQueue(ClipQueueOptions options, MakeViews make_views, int64_t values_per_video)
    : options_(std::move(options)),
      make_views_(std::move(make_views)),
      floats_per_video_(options_.make_bytes == nullptr ? values_per_video : 0),
      batches_((static_cast<int64_t>(options_.order.size()) + options_.batch_size - 1) /
               options_.batch_size),
      depth_(Depth(options_, values_per_video)),
      end_(static_cast<int64_t>(options_.order.size())) {}

ClipQueue::~ClipQueue() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  for (std::thread& worker : workers_) worker.join();
}

bool ClipQueue::CanTake() const {
  return next_ < end_ && next_ / options_.batch_size < delivered_ + depth_;
}

std::pair<int64_t, ClipQueue::Pending*> ClipQueue::Take() {
  const int64_t position = next_++;
  if (position % options_.batch_size == 0) {
    auto pending = std::make_unique<Pending>();
    pending->first = position;
    const int64_t videos = static_cast<int64_t>(options_.order.size());
    pending->left = std::min<int64_t>(options_.batch_size, videos - position);
    pending->statuses.resize(pending->left);
    pending->indices.resize(pending->left);
    if (!spare_.empty()) {
      pending->batch.clips = std::move(spare_.back());
      spare_.pop_back();
    }
    if (options_.make_bytes != nullptr) {
      std::vector<ByteViews>& views = pending->batch.byte_views;
      views.resize(pending->left);
      for (size_t i = 0; i < views.size() && !spare_bytes_.empty(); ++i) {
        views[i] = std::move(spare_bytes_.back());
        spare_bytes_.pop_back();
      }
    }
    pending_.push_back(std::move(pending));
  }
  return {position, pending_.back().get()};
}

void ClipQueue::Work() {
  for (;;) {
    std::pair<int64_t, Pending*> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](ClipQueue* queue)
               ABSL_NO_THREAD_SAFETY_ANALYSIS { return queue->stop_ || queue->CanTake(); },
          this));
      if (stop_) return;
      task = Take();
    }
    MakeVideo(task.first, task.second);
  }
}

absl::Status ClipQueue::MakeAt(const Video& video, int64_t index, int64_t place, Batch* batch,
                               ViewSeconds* seconds) {
  if (options_.make_bytes != nullptr) {
    return options_.make_bytes(video, index, &batch->byte_views[place], seconds);
  }
  const absl::Span<float> out(batch->clips.data() + place * floats_per_video_, floats_per_video_);
  return make_views_(video, index, out, seconds);
}

int64_t ClipQueue::Substitute(int64_t index, int64_t place, Batch* batch, ViewSeconds* seconds) {
  for (const int64_t other : options_.substitutes(index)) {
    if (options_.handle_signals && !CheckInterrupt().ok()) return -1;
    // With the random stream of the replaced video, so that this is not the substitute's own clip
    // again.
    if (MakeAt(options_.videos[other], index, place, batch, seconds).ok()) return other;
  }
  return -1;
}

void ClipQueue::MakeVideo(int64_t position, Pending* pending) {
  const int64_t videos = static_cast<int64_t>(pending->statuses.size());
  // The large memory is allocated outside the lock.
  std::call_once(pending->allocated,
                 [&] { pending->batch.clips.resize(videos * floats_per_video_); });
  const int64_t place = position - pending->first;
  const int64_t index = options_.order[position];
  ViewSeconds seconds;
  absl::Status status = options_.handle_signals ? CheckInterrupt() : absl::OkStatus();
  int64_t shown = index;
  if (status.ok()) {
    status = MakeAt(options_.videos[index], index, place, &pending->batch, &seconds);
    if (!status.ok() && !absl::IsCancelled(status) && options_.substitutes) {
      shown = Substitute(index, place, &pending->batch, &seconds);
      if (const absl::Status stop = CheckInterrupt();
          shown < 0 && options_.handle_signals && !stop.ok()) {
        status = stop;
      }
    }
  }
  absl::MutexLock lock(&mutex_);
  counters_.read_seconds += seconds.read;
  counters_.transform_seconds += seconds.transform;
  if (status.ok() || (shown >= 0 && shown != index)) counters_.clips += options_.views;
  if (absl::IsCancelled(status) || (!status.ok() && !options_.skip_bad_videos)) {
    // This batch is finished, so that its first error is the one reported; no further one is
    // started.
    end_ = std::min(end_, pending->first + videos);
  }
  pending->statuses[place] = std::move(status);
  pending->indices[place] = shown;
  --pending->left;
}

std::unique_ptr<ClipQueue::Pending> ClipQueue::TakeFinished() {
  {
    absl::MutexLock lock(&mutex_);
    if (delivered_ >= batches_) return nullptr;
  }
  if (options_.threads == 0) {
    std::pair<int64_t, Pending*> task;
    do {
      {
        absl::MutexLock lock(&mutex_);
        task = Take();
      }
      MakeVideo(task.first, task.second);
    } while (task.second->left > 0);
  }
  const Clock::time_point start = Clock::now();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](ClipQueue* queue) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return !queue->pending_.empty() && queue->pending_.front()->left == 0;
      },
      this));
  counters_.wait_seconds += std::chrono::duration<double>(Clock::now() - start).count();
  std::unique_ptr<Pending> pending = std::move(pending_.front());
  pending_.pop_front();
  ++delivered_;
  return pending;
}

absl::Status ClipQueue::CountFailed(const absl::Status& status, bool replaced) {
  if (absl::IsCancelled(status) || !options_.skip_bad_videos) return status;
  if (options_.substitutes && !replaced) {
    return absl::DataLossError(
        absl::StrCat(status.message(),
                     "; and none of the videos drawn to replace it decodes either: check the "
                     "copy (./bazelw run //data:dataset -- check ROOT)"));
  }
  absl::MutexLock lock(&mutex_);
  ++counters_.skipped;
  counters_.substituted += replaced ? 1 : 0;
  if (counters_.examples.size() < kExamples) {
    // It goes into checkpoints and records.
    counters_.examples.push_back(ToUtf8(std::string(status.message())));
  }
  return absl::OkStatus();
}

absl::Status ClipQueue::LeaveOutFailed(Pending* pending) {
  Batch& batch = pending->batch;
  for (size_t place = 0; place < pending->statuses.size(); ++place) {
    const absl::Status& status = pending->statuses[place];
    // -1: neither the video nor a substitute decodes.
    const int64_t index = pending->indices[place];
    const bool replaced =
        !status.ok() && index >= 0 && index != options_.order[pending->first + place];
    if (!status.ok()) OP3D_RETURN_IF_ERROR(CountFailed(status, replaced));
    if (status.ok() || replaced) {
      if (batch.size < place && options_.make_bytes != nullptr) {
        std::swap(batch.byte_views[batch.size], batch.byte_views[place]);
      } else if (batch.size < place) {
        std::memcpy(batch.clips.data() + batch.size * floats_per_video_,
                    batch.clips.data() + place * floats_per_video_,
                    floats_per_video_ * sizeof(float));
      }
      batch.videos.push_back(index);
      batch.labels.push_back(options_.videos[index].label);
      ++batch.size;
    }
  }
  batch.clips.resize(batch.size * floats_per_video_);
  if (options_.make_bytes != nullptr) batch.byte_views.resize(batch.size);
  batch.views = options_.views;
  batch.frames = options_.frames;
  batch.height = batch.width = options_.size;
  return absl::OkStatus();
}

absl::StatusOr<bool> ClipQueue::Next(Batch* batch) {
  OP3D_RETURN_IF_ERROR(failed_);
  {
    absl::MutexLock lock(&mutex_);
    if (next_ < end_ && batch->clips.capacity() > 0) spare_.push_back(std::move(batch->clips));
    if (next_ < end_) {
      for (ByteViews& views : batch->byte_views) spare_bytes_.push_back(std::move(views));
    }
  }
  *batch = Batch();
  while (const std::unique_ptr<Pending> pending = TakeFinished()) {
    failed_ = LeaveOutFailed(pending.get());
    OP3D_RETURN_IF_ERROR(failed_);
    if (pending->batch.size == 0 && !options_.give_empty_batches) continue;
    *batch = std::move(pending->batch);
    return true;
  }
  return false;
}

LoaderCounters ClipQueue::counters() const {
  absl::MutexLock lock(&mutex_);
  return counters_;
}

}  // namespace op3d::data
