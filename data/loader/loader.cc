#include "data/loader/loader.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/loader/clip_queue.h"
#include "data/loader/clip_views.h"
#include "data/transform/clip_transform.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr int kTestCrops = 3;
// If this many videos in a row do not decode, it is not an accident.
constexpr int kSubstitutes = 10;

// Checks shared by all three kinds of loader.
absl::Status CheckOptions(const std::vector<Video>& videos, const FrameStore* store,
                          const ClipShape& shape, const TransformSettings& transform,
                          int batch_size, int threads) {
  if (store == nullptr) return absl::InvalidArgumentError("a loader needs a frame store");
  OP3D_RETURN_IF_ERROR(CheckClipShape(shape));
  OP3D_RETURN_IF_ERROR(CheckTransformSettings(transform));
  if (batch_size < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch of ", batch_size, " videos; it must hold at least 1"));
  }
  if (threads < 0 || threads > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("a loader with ", threads, " threads; it must have 0 to 1024"));
  }
  if (videos.empty()) {
    return absl::InvalidArgumentError("the list of videos to load is empty");
  }
  for (const Video& video : videos) {
    if (video.frames >= 1) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the video ", video.name, " has ", video.frames, " frames; count them first"));
  }
  return absl::OkStatus();
}

absl::Status CheckClips(absl::string_view what, int clips) {
  if (clips >= 1 && clips <= 1000) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " with ", clips, " clips a video; it must have 1 to 1000"));
}

class ListLoader : public ClipLoader {
 public:
  explicit ListLoader(std::unique_ptr<ClipQueue> queue) : queue_(std::move(queue)) {}
  absl::StatusOr<bool> Next(Batch* batch) override { return queue_->Next(batch); }
  int64_t batches() const override { return queue_->batches(); }
  Counters counters() const override { return queue_->counters(); }

 private:
  std::unique_ptr<ClipQueue> queue_;
};

// The frames of a video's clips and what becomes of them.
struct VideoPlan {
  std::vector<std::vector<int64_t>> clips;
  std::function<absl::StatusOr<ClipTransform>(int width, int height)> transform;
};

// `plan` is called by several threads at once; it outlives what it returns.
absl::StatusOr<std::unique_ptr<ClipLoader>> MakeLoader(
    ClipQueueOptions options, bool bytes, bool planes, FrameStore* store,
    std::function<VideoPlan(const Video&, int64_t index)> plan) {
  if (bytes) {
    options.planes = planes;
    options.make_bytes = [plan, planes, store](const Video& video, int64_t index, ByteViews* views,
                                               ViewSeconds* seconds) {
      const VideoPlan planned = plan(video, index);
      return MakeByteViews(video, planned.clips, planned.transform, planes, store, views, seconds);
    };
  }
  OP3D_ASSIGN_OR_RETURN(
      std::unique_ptr<ClipQueue> queue,
      ClipQueue::Make(std::move(options), [plan = std::move(plan), store](
                                              const Video& video, int64_t index,
                                              absl::Span<float> out, ViewSeconds* seconds) {
        const VideoPlan planned = plan(video, index);
        return MakeClipViews(video, planned.clips, planned.transform, store, out, seconds);
      }));
  return std::make_unique<ListLoader>(std::move(queue));
}

// Sets the fields that are the same for all kinds.
template <typename Options>
ClipQueueOptions QueueOptions(const Options& options, std::vector<Video> videos, int size) {
  ClipQueueOptions queue;
  queue.videos = std::move(videos);
  queue.batch_size = options.batch_size;
  queue.frames = options.shape.length();
  queue.size = size;
  queue.skip_bad_videos = options.on_bad_video == LoaderSettings::SKIP ||
                          options.on_bad_video == LoaderSettings::SUBSTITUTE;
  queue.threads = options.threads;
  queue.prefetch_bytes = int64_t{std::max(options.prefetch_mib, 0)} << 20;
  return queue;
}

std::vector<int64_t> ListOrder(size_t count) {
  std::vector<int64_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<int64_t>(i);
  return order;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ClipLoader>> ClipLoader::ForTraining(
    std::vector<Video> videos, FrameStore* store, const TrainLoaderOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckOptions(videos, store, options.shape, options.transform,
                                    options.batch_size, options.threads));
  if (options.batch_size > videos.size()) {
    return absl::InvalidArgumentError(absl::StrCat("a batch of ", options.batch_size,
                                                   " videos, but the training list has only ",
                                                   videos.size(), "; make the batch smaller"));
  }
  RandomStream shuffle(options.seed, options.purpose + ".order", {options.epoch});
  std::vector<int64_t> order = shuffle.Permutation(static_cast<int64_t>(videos.size()));
  if (options.shards < 1 || options.shard < 0 || options.shard >= options.shards ||
      options.first_batch < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shard ", options.shard, " of ", options.shards, " from batch ",
                     options.first_batch, "; a shard is in [0, shards) and a batch at least 0"));
  }
  ClipQueueOptions queue = QueueOptions(options, std::move(videos), options.transform.train_crop());
  queue.give_empty_batches = true;
  if (options.on_bad_video == LoaderSettings::SUBSTITUTE) {
    queue.substitutes = [options, count = static_cast<int64_t>(order.size())](int64_t index) {
      RandomStream stream(options.seed, options.purpose + ".substitute", {options.epoch, index});
      std::vector<int64_t> others(kSubstitutes);
      for (int64_t& other : others) other = static_cast<int64_t>(stream.UniformInt(count));
      return others;
    };
  }
  queue.handle_signals = options.handle_signals;
  const int64_t batches = static_cast<int64_t>(order.size()) / options.batch_size;
  for (int64_t batch = options.shard + options.first_batch * options.shards; batch < batches;
       batch += options.shards) {
    const auto first = order.begin() + batch * options.batch_size;
    queue.order.insert(queue.order.end(), first, first + options.batch_size);
  }
  return MakeLoader(
      std::move(queue), options.bytes, options.planes, store,
      [options](const Video& video, int64_t index) {
        RandomStream stream(options.seed, options.purpose + ".clip", {options.epoch, index});
        VideoPlan plan;
        plan.clips = {TrainFrames(options.shape, video.frames, options.on_short_video, &stream)};
        plan.transform = [&options, stream](int width, int height) mutable {
          return ClipTransform::ForTraining(
              DrawTrainTransform(options.transform, width, height, &stream), options.transform);
        };
        return plan;
      });
}

absl::StatusOr<std::unique_ptr<ClipLoader>> ClipLoader::ForSearch(
    std::vector<Video> videos, FrameStore* store, const EvaluationLoaderOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckOptions(videos, store, options.shape, options.transform,
                                    options.batch_size, options.threads));
  OP3D_RETURN_IF_ERROR(CheckClips("a search's measure", options.search_clips));
  ClipQueueOptions queue =
      QueueOptions(options, std::move(videos), options.transform.search_crop());
  queue.order = ListOrder(queue.videos.size());
  queue.views = options.search_clips;
  return MakeLoader(
      std::move(queue), options.bytes, options.planes, store,
      [options](const Video& video, int64_t /*index*/) {
        VideoPlan plan;
        for (int clip = 0; clip < options.search_clips; ++clip) {
          plan.clips.push_back(TestFrames(options.shape, video.frames, 2 * clip + 1,
                                          2 * options.search_clips, options.on_short_video));
        }
        plan.transform = [&options](int width, int height) {
          return ClipTransform::ForSearch(options.transform, width, height);
        };
        return plan;
      });
}

absl::StatusOr<std::unique_ptr<ClipLoader>> ClipLoader::ForTest(
    std::vector<Video> videos, FrameStore* store, const EvaluationLoaderOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckOptions(videos, store, options.shape, options.transform,
                                    /*batch_size=*/1, options.threads));
  OP3D_RETURN_IF_ERROR(CheckClips("a test", options.clips));
  ClipQueueOptions queue = QueueOptions(options, std::move(videos), options.transform.test_crop());
  queue.order = ListOrder(queue.videos.size());
  queue.batch_size = 1;
  queue.views = options.clips * kTestCrops;
  return MakeLoader(
      std::move(queue), options.bytes, options.planes, store,
      [options](const Video& video, int64_t /*index*/) {
        VideoPlan plan;
        for (int clip = 0; clip < options.clips; ++clip) {
          plan.clips.push_back(
              TestFrames(options.shape, video.frames, clip, options.clips, options.on_short_video));
        }
        plan.transform = [&options](int width, int height) {
          return ClipTransform::ForTest(options.transform, width, height);
        };
        return plan;
      });
}

}  // namespace op3d::data
