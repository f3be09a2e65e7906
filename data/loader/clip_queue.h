// Batches prepared by worker threads and returned in order: the engine of ClipLoader.
//
// A worker takes one video at a time, in the order of the batches, and writes its views directly to
// their place in the batch.  So the threads share the work of one batch, only a few batches are
// in progress, and the content of a batch does not depend on threads.
#ifndef OP3D_DATA_LOADER_CLIP_QUEUE_H_
#define OP3D_DATA_LOADER_CLIP_QUEUE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/loader/batch.h"
#include "data/loader/clip_views.h"
#include "data/loader/loader_counters.h"

namespace op3d::data {

struct ClipQueueOptions {
  std::vector<Video> videos;
  // Indices into `videos`, in the order of their delivery.
  std::vector<int64_t> order;
  int batch_size = 1;
  // Views per video; frames and side (pixels) of each view.
  int views = 1;
  int frames = 16;
  int size = 224;
  bool skip_bad_videos = false;
  // With skip_bad_videos: the videos to try, in turn, instead of one that does not decode.
  // Called by several threads at once; may be empty.
  std::function<std::vector<int64_t>(int64_t index)> substitutes;
  // A batch whose videos were all skipped is returned with size 0; otherwise it is left out.
  bool give_empty_batches = false;
  // A signal ends the queue.
  bool handle_signals = true;
  // If set, called instead of `make_views`: batches have byte_views and no clips.
  std::function<absl::Status(const Video&, int64_t index, ByteViews*, ViewSeconds*)> make_bytes;
  // Some of the bytes may be planes.
  bool planes = false;
  // 0 = the work is done inside Next.
  int threads = 0;
  // Memory for batches that are ready or in progress; one is always made.
  int64_t prefetch_bytes = 0;
};

class ClipQueue {
 public:
  // Fills [views, 3, frames, size, size] with the views of a video; `index` is its index in the
  // list.  Called by several threads at once.
  using MakeViews =
      std::function<absl::Status(const Video&, int64_t index, absl::Span<float>, ViewSeconds*)>;

  // InvalidArgument for a batch of more than 64 GiB.
  static absl::StatusOr<std::unique_ptr<ClipQueue>> Make(ClipQueueOptions options,
                                                         MakeViews make_views);
  // Stops the workers; each finishes its current video first.
  ~ClipQueue();

  // As ClipLoader::Next.
  absl::StatusOr<bool> Next(Batch* batch);
  int64_t batches() const { return batches_; }
  LoaderCounters counters() const;

 private:
  // A batch in progress.
  struct Pending {
    // Position of its first video in the order.
    int64_t first = 0;
    std::once_flag allocated;
    Batch batch;
    // The status of each video; written once by the worker that made it.
    std::vector<absl::Status> statuses;
    // The index of the video at each place; differs from the order if the video was replaced.
    std::vector<int64_t> indices;
    int64_t left = 0;
  };

  ClipQueue(ClipQueueOptions options, MakeViews make_views, int64_t values_per_video);
  // Makes the views of `video` at `place` of the batch.
  absl::Status MakeAt(const Video& video, int64_t index, int64_t place, Batch* batch,
                      ViewSeconds* seconds);
  void Work();
  // Makes the video at `position` of the order.
  void MakeVideo(int64_t position, Pending* pending);
  // Fills the place with the first substitute that decodes; returns its index, or -1.
  int64_t Substitute(int64_t index, int64_t place, Batch* batch, ViewSeconds* seconds);
  bool CanTake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The next video to make and its batch, which is created with its first video.
  std::pair<int64_t, Pending*> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The oldest batch, once all its videos are made; null after the last one.
  std::unique_ptr<Pending> TakeFinished();
  // Counts a video that failed, or returns the error with which the loader ends.
  absl::Status CountFailed(const absl::Status& status, bool replaced);
  // Leaves failed videos out of the batch, or returns the error why it cannot be returned.
  absl::Status LeaveOutFailed(Pending* pending);

  const ClipQueueOptions options_;
  const MakeViews make_views_;
  // Size of all views of a video as floats; 0 for bytes.
  const int64_t floats_per_video_;
  const int64_t batches_;
  // The number of batches that may be ready or in progress at once.
  const int64_t depth_;

  mutable absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  // Positions in the order: the next to make, and where making ends (earlier after an error).
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
  // The number of batches returned so far, and the batches after them.
  int64_t delivered_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::unique_ptr<Pending>> pending_ ABSL_GUARDED_BY(mutex_);
  // Memory of batches that the caller returned, to be used again.
  std::vector<std::vector<float>> spare_ ABSL_GUARDED_BY(mutex_);
  std::vector<ByteViews> spare_bytes_ ABSL_GUARDED_BY(mutex_);
  LoaderCounters counters_ ABSL_GUARDED_BY(mutex_);
  // The error that ended the loader.
  absl::Status failed_;
  std::vector<std::thread> workers_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_CLIP_QUEUE_H_
