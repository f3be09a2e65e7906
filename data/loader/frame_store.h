// Decoded frames for several loaders at once, kept in memory within a budget.
//
//   FrameStore store(/*budget_bytes=*/int64_t{512} << 20);
//   OP3D_RETURN_IF_ERROR(store.Read(video, {0, 8, 16}, [&](int64_t k, const RgbImage& frame) {
//     return Use(k, frame);
//   }));
//
// Frames that are in memory already (packed videos) are not kept a second time.
//
// A video that fits into the rest of the budget is decoded completely, once, and stays.  An epoch
// visits every video once in random order, so keeping the first videos is better than replacing the
// oldest.  For a video that does not fit, only the requested frames are decoded, every time, and of
// these only the requested part.  The pixels never depend on the budget.
#ifndef OP3D_DATA_LOADER_FRAME_STORE_H_
#define OP3D_DATA_LOADER_FRAME_STORE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"
#include "data/video/image/image.h"
#include "data/video/media.h"
#include "data/video/reader/video_reader.h"

namespace op3d::data {

// Thread-safe.
class FrameStore {
 public:
  // Bytes for decoded frames, three bytes per pixel; 0 = none are kept.
  explicit FrameStore(int64_t budget_bytes, const VideoLimits& limits = {},
                      const Decoding& decoding = {});
  // As the settings of a run say; with loader.decode FAST, videos are not decoded at a smaller size
  // than `transform` uses; with NVDEC, GPU `gpu` decodes.  InvalidArgument for a limit out of its
  // range; FailedPrecondition if NVDEC is not possible here (data/video/file/nvdec.h).
  static absl::StatusOr<std::unique_ptr<FrameStore>> Make(const LoaderSettings& loader,
                                                          const TransformSettings& transform,
                                                          int gpu = 0);
  FrameStore(const FrameStore&) = delete;
  FrameStore& operator=(const FrameStore&) = delete;

  // Calls `sink`(k, frame) for each k of `indices` (sorted, without repetition), in order; `frame`
  // is valid during the call.  If two threads request the same video and it is kept, it is decoded
  // once: the second waits.  Errors are VideoReader's and `sink`'s own; OutOfRange also if the file
  // no longer has the number of frames that `video` says and an index needs.
  absl::Status Read(const Video& video, absl::Span<const int64_t> indices,
                    absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink);

  // The same for callers that need only a part of each frame.  `part_of` is called once, before the
  // first frame, with the frames' width and height.  `sink`(k, image, part) gets that part or more:
  // `image` is the box `part` of the frame.  Errors are also `part_of`'s, and InvalidArgument for
  // a part that is not inside the frame.
  using PartOf = absl::FunctionRef<absl::StatusOr<Box>(int width, int height)>;
  using PartSink = absl::FunctionRef<absl::Status(int64_t, const RgbImage&, const Box&)>;
  absl::Status ReadParts(const Video& video, absl::Span<const int64_t> indices, PartOf part_of,
                         PartSink sink);

  // The same for callers that can convert colours themselves.  If `planes_wanted()`, asked after
  // `part_of`, is true, and all the frames can be given so (VideoReader::ReadPlanes) and are not in
  // memory, `planes_sink` gets them whole and as decoded.  Otherwise `sink` gets all of them, even
  // if `planes_sink` got some before.
  using PlanesSink = absl::FunctionRef<absl::Status(int64_t, const YuvPicture&)>;
  absl::Status ReadPlanesOrParts(const Video& video, absl::Span<const int64_t> indices,
                                 PartOf part_of, absl::FunctionRef<bool()> planes_wanted,
                                 PlanesSink planes_sink, PartSink sink);

  struct Counters {
    // Reads served from memory, videos decoded completely, reads that decoded only their frames.
    int64_t hits = 0;
    int64_t kept = 0;
    int64_t passed = 0;
    // Bytes of the frames kept.
    int64_t bytes = 0;
    // Time for opening and decoding, summed over threads, without `sink` and `part_of`.
    double decode_seconds = 0;
    // The readers' own counters.
    VideoReader::Counters reading;
  };
  Counters counters() const;

  // "3 videos were decoded on the CPU: ...", if NVDEC was asked for and did not take some; else
  // empty.
  std::string SoftwareNote() const;

 private:
  // The entry of a video in the store.
  struct Entry {
    enum class State { kDecoding, kKept, kPassed };
    State state = State::kDecoding;
    // Never changes once the state is kKept.
    std::vector<RgbImage> frames;
  };

  // Opens the video and, if it fits, decodes all of it into `entry`; otherwise leaves the frames
  // empty and returns the open reader.
  absl::Status Keep(const Video& video, Entry* entry, std::unique_ptr<VideoReader>* reader);
  // Decodes the requested frames, with `reader` if it is not null.
  absl::Status ReadWanted(const Video& video, std::unique_ptr<VideoReader> reader,
                          absl::Span<const int64_t> indices, PartOf part_of,
                          absl::FunctionRef<bool()> planes_wanted, PlanesSink planes_sink,
                          PartSink sink);
  // Threads that decode at the same time count in different places, on cache lines of their own.
  struct alignas(64) Shard {
    absl::Mutex mutex;
    Counters counters ABSL_GUARDED_BY(mutex);
  };
  static constexpr size_t kShards = 64;

  MediaOptions OptionsFor(const Video& video) const;
  // Waits until nobody decodes the video, or makes its entry: then `first` is true.
  Entry* FindEntry(const Video& video, bool* first, Entry::State* state);
  bool Reserve(int64_t bytes);
  void CountReader(const Video& video, const VideoReader& reader);
  // Adds to this thread's counters.
  void Count(absl::FunctionRef<void(Counters*)> add);

  const int64_t budget_;
  const VideoLimits limits_;
  const Decoding decoding_;
  // Bytes of the frames kept.
  std::atomic<int64_t> bytes_{0};
  mutable absl::Mutex mutex_;
  // By path.  Entries are never removed, so pointers to them stay valid.
  absl::flat_hash_map<std::string, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  mutable std::array<Shard, kShards> shards_;
  // Names of the videos that the CPU decoded although NVDEC was asked for.
  mutable absl::Mutex software_mutex_;
  absl::btree_set<std::string> software_ ABSL_GUARDED_BY(software_mutex_);
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_FRAME_STORE_H_
