// Batches of clips from a list of videos, prepared by worker threads.
//
//   FrameStore store(int64_t{512} << 20);
//   TrainLoaderOptions options;
//   options.shape = {1, 16, 1};
//   options.transform.set_train_crop(32);
//   options.epoch = 3;
//   OP3D_ASSIGN_OR_RETURN(std::unique_ptr<ClipLoader> loader,
//                         ClipLoader::ForTraining(videos, &store, options));
//   Batch batch;
//   for (;;) {
//     OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
//     if (!more) break;
//     Use(batch);                                   // batch.clips: [16, 3, 16, 32, 32]
//   }
//
// The batches are the same for any number of threads: the random numbers of a clip come from a
// stream named by its epoch and its video.
#ifndef OP3D_DATA_LOADER_LOADER_H_
#define OP3D_DATA_LOADER_LOADER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"
#include "data/loader/batch.h"
#include "data/loader/frame_store.h"
#include "data/loader/loader_counters.h"
#include "data/sampling/sampling.h"

namespace op3d::data {

struct TrainLoaderOptions {
  ClipShape shape;
  TransformSettings transform;
  LoaderSettings::OnShortVideo on_short_video = LoaderSettings::REPEAT_LAST;
  // SKIP leaves a video that does not decode out of its batch, which is then smaller.  SUBSTITUTE
  // replaces it by another video of the list: those of RandomStream(seed, purpose + ".substitute",
  // {epoch, index in the list}) are tried in turn, at most ten.
  LoaderSettings::OnBadVideo on_bad_video = LoaderSettings::ERROR;
  int batch_size = 16;
  // The order: RandomStream(seed, purpose + ".order", {epoch}).  A clip: RandomStream(seed, purpose
  // + ".clip", {epoch, index in the list}).
  uint64_t seed = 0;
  std::string purpose = "train";
  int64_t epoch = 0;
  // The shard of this process: batches shard, shard + shards, shard + 2 * shards, ... of the epoch;
  // `shard` is in [0, shards).
  int shard = 0, shards = 1;
  // The number of the shard's batches to skip at the start, to resume an epoch.
  int64_t first_batch = 0;
  // A signal ends the loader with Cancelled.  With several processes it is off: they end together.
  bool handle_signals = true;
  // Worker threads; 0 = the work is done inside Next.
  int threads = 0;
  // Maximum memory for batches prepared in advance, in MiB; one is always made.
  int prefetch_mib = 1024;
  // Batches have byte_views instead of clips: a quarter of the memory, and of what a GPU is sent.
  bool bytes = false;
  // With `bytes`, for a GPU: pictures as decoded where that can be (MakeByteViews).
  bool planes = false;
};

struct EvaluationLoaderOptions {
  ClipShape shape;
  TransformSettings transform;
  LoaderSettings::OnShortVideo on_short_video = LoaderSettings::REPEAT_LAST;
  // SKIP and SUBSTITUTE both leave out a video that does not decode: it is in no batch, and counted
  // in counters().skipped.
  LoaderSettings::OnBadVideo on_bad_video = LoaderSettings::ERROR;
  // Videos per batch; a test always uses one.
  int batch_size = 16;
  // Clips per video in a test, each in three crops.
  int clips = 10;
  // Clips per video in the search's measure, each in the centre crop.
  int search_clips = 1;
  // Batches have byte_views instead of clips: a tenth of the memory in a test.
  bool bytes = false;
  bool planes = false;
  int threads = 0;
  int prefetch_mib = 1024;
};

// One pass over a list.  Call Next from one thread; everything else is thread-safe.  Destroying it
// early stops the workers after their current clip.
class ClipLoader {
 public:
  using Counters = LoaderCounters;

  // A training epoch: shuffled, one random clip per video, the incomplete last batch dropped.  A
  // batch whose videos were all skipped is returned with size 0, so that batches can be counted.
  //
  // All three: InvalidArgument for impossible settings, no videos, or (training) fewer videos
  // than a batch needs.  `store` must outlive the loader; several loaders may share it.
  static absl::StatusOr<std::unique_ptr<ClipLoader>> ForTraining(std::vector<Video> videos,
                                                                 FrameStore* store,
                                                                 const TrainLoaderOptions& options);
  // The search's measure: `search_clips` clips of each video in the centre crop, in list order; the
  // last batch may be smaller.  Clip k of K is clip 2 k + 1 of 2 K in a test, so that one clip is
  // the centre clip (CentreFrames).
  static absl::StatusOr<std::unique_ptr<ClipLoader>> ForSearch(
      std::vector<Video> videos, FrameStore* store, const EvaluationLoaderOptions& options);
  // A test: one video per batch, in list order, all its views from one decoding.  View = clip * 3 +
  // crop; the crops are centre, top-left, bottom-right.
  static absl::StatusOr<std::unique_ptr<ClipLoader>> ForTest(
      std::vector<Video> videos, FrameStore* store, const EvaluationLoaderOptions& options);
  virtual ~ClipLoader() = default;

  // Replaces `batch` by the next one (its memory is used again); false at the end.  A video's
  // error ends the loader: it is returned when it is the video's turn, and on every later call, and
  // names the video.  Cancelled: a signal came.
  virtual absl::StatusOr<bool> Next(Batch* batch) = 0;

  // The number of batches if no video is skipped.
  virtual int64_t batches() const = 0;

  virtual LoaderCounters counters() const = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_LOADER_H_
