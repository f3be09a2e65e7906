// Batches of clips from a list of videos, made ahead by worker threads.
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
// The batches are the same for any number of threads: what is random about a clip comes from a
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
  // SKIP leaves a video that does not decode out of its batch, which is then smaller; SUBSTITUTE
  // puts another one of the list in its place: those of RandomStream(seed, purpose + ".substitute",
  // {epoch, index in the list}) are tried in turn, ten at most.
  LoaderSettings::OnBadVideo on_bad_video = LoaderSettings::ERROR;
  int batch_size = 16;
  // Order: RandomStream(seed, purpose + ".order", {epoch}); a clip: RandomStream(seed, purpose +
  // ".clip", {epoch, index in the list}).
  uint64_t seed = 0;
  std::string purpose = "train";
  int64_t epoch = 0;
  // The part of one of several processes: of the epoch's batches 0, 1, 2 ... every `shards`-th from
  // `shard` on, [0, shards).
  int shard = 0, shards = 1;
  // Number of the shard's batches to skip at the start: an epoch is resumed there.
  int64_t first_batch = 0;
  // A signal ends the loader with Cancelled.  A process among several ends with the others instead.
  bool handle_signals = true;
  // Workers; 0 = the work is done inside Next.
  int threads = 0;
  // Most memory for batches made ahead, in MiB; one is always made.
  int prefetch_mib = 1024;
};

struct EvaluationLoaderOptions {
  ClipShape shape;
  TransformSettings transform;
  LoaderSettings::OnShortVideo on_short_video = LoaderSettings::REPEAT_LAST;
  // SKIP, and SUBSTITUTE too, leaves a video that does not decode out: it is in no batch, and in
  // skipped().
  LoaderSettings::OnBadVideo on_bad_video = LoaderSettings::ERROR;
  // Videos a batch; a test takes one.
  int batch_size = 16;
  // Clips a video in a test, each in three crops.
  int clips = 10;
  // Clips a video in the search's measure, each in the centre crop.
  int search_clips = 1;
  int threads = 0;
  int prefetch_mib = 1024;
};

// One pass over a list.  Next is called from one thread; the rest is thread-safe.  Destroying it
// early stops the workers after the clip each has in hand.
class ClipLoader {
 public:
  using Counters = LoaderCounters;

  // A training epoch: shuffled, one random clip a video, the incomplete last batch dropped.  A
  // batch whose videos were all skipped comes with size 0, so that batches can be counted.
  //
  // All three: InvalidArgument for settings that cannot be, no videos, or (training) fewer videos
  // than a batch holds.  `store` must outlive the loader; several loaders may shard it.
  static absl::StatusOr<std::unique_ptr<ClipLoader>> ForTraining(std::vector<Video> videos,
                                                                 FrameStore* store,
                                                                 const TrainLoaderOptions& options);
  // The search's measure: `search_clips` clips of each video in the centre crop, in list order, the
  // last batch smaller.  Clip k of K is clip 2 k + 1 of 2 K in a test, so that one clip is the
  // centre clip (CentreFrames).
  static absl::StatusOr<std::unique_ptr<ClipLoader>> ForSearch(
      std::vector<Video> videos, FrameStore* store, const EvaluationLoaderOptions& options);
  // A test: a video a batch, in list order, all its views from one decoding.  View = clip * 3 +
  // crop, crops centre, top-left, bottom-right.
  static absl::StatusOr<std::unique_ptr<ClipLoader>> ForTest(
      std::vector<Video> videos, FrameStore* store, const EvaluationLoaderOptions& options);
  virtual ~ClipLoader() = default;

  // Replaces `batch` by the next one (its memory is used again); false at the end.  A video's
  // error ends the loader: it comes in the video's turn, again on every later call, and names the
  // video.  Cancelled: a signal came.
  virtual absl::StatusOr<bool> Next(Batch* batch) = 0;

  // How many batches there are, when no video is skipped.
  virtual int64_t batches() const = 0;

  virtual LoaderCounters counters() const = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_LOADER_H_
