// Decoded frames for several loaders at once, kept in memory as far as a budget goes.
//
//   FrameStore store(/*budget_bytes=*/int64_t{512} << 20);
//   OP3D_RETURN_IF_ERROR(store.Read(video, {0, 8, 16}, [&](int64_t k, const RgbImage& frame) {
//     return Use(k, frame);
//   }));
//
// A video that fits into what is left of the budget is decoded whole, once, and stays: an epoch
// visits every video once in random order, and then keeping the first ones is worth more than
// forgetting the oldest.  A video that does not fit is decoded for the wanted frames only, every
// time, and of those only the part that is wanted.  The pixels never depend on the budget.
#ifndef OP3D_DATA_LOADER_FRAME_STORE_H_
#define OP3D_DATA_LOADER_FRAME_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/video/image/image.h"
#include "data/video/reader/video_reader.h"

namespace op3d::data {

// Thread-safe.
class FrameStore {
 public:
  // Room for decoded frames, three bytes a pixel; 0 = none are kept.
  explicit FrameStore(int64_t budget_bytes, const VideoLimits& limits = {});
  FrameStore(const FrameStore&) = delete;
  FrameStore& operator=(const FrameStore&) = delete;

  // Calls `sink`(k, frame) for each k of `indices` (sorted, without repetition), in order; `frame`
  // is valid during the call.  Two threads that ask for the same video to be kept decode it once:
  // the second waits.  Errors are VideoReader's, and `sink`'s own; OutOfRange also when the file
  // has no longer as many frames as `video` says and an index needs.
  absl::Status Read(const Video& video, absl::Span<const int64_t> indices,
                    absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink);

  // The same for whom a part of each frame is enough.  `part_of` is called once, before the first
  // frame, with the frames' width and height.  `sink`(k, image, part) gets that part or more:
  // `image` is the box `part` of the frame.  Errors are also `part_of`'s, and InvalidArgument for
  // a part that is not inside the frame.
  using PartOf = absl::FunctionRef<absl::StatusOr<Box>(int width, int height)>;
  using PartSink = absl::FunctionRef<absl::Status(int64_t, const RgbImage&, const Box&)>;
  absl::Status ReadParts(const Video& video, absl::Span<const int64_t> indices, PartOf part_of,
                         PartSink sink);

  struct Counters {
    // Reads answered from memory, videos decoded whole, reads decoded for the wanted frames only.
    int64_t hits = 0;
    int64_t kept = 0;
    int64_t passed = 0;
    // Bytes of the frames kept.
    int64_t bytes = 0;
    // Time in opening and decoding, summed over threads, without `sink`'s and `part_of`'s.
    double decode_seconds = 0;
    // What the readers did for it.
    VideoReader::Counters reading;
  };
  Counters counters() const;

 private:
  // A video's place in the store.
  struct Entry {
    enum class State { kDecoding, kKept, kPassed };
    State state = State::kDecoding;
    // Never changes once the state is kKept.
    std::vector<RgbImage> frames;
  };

  // Opens the video and, when it fits, decodes all of it into `entry`; otherwise leaves the frames
  // empty and hands out the open reader.
  absl::Status Keep(const Video& video, Entry* entry, std::unique_ptr<VideoReader>* reader);
  // Decodes the wanted frames, with `reader` when it is not null.
  absl::Status ReadWanted(const Video& video, std::unique_ptr<VideoReader> reader,
                          absl::Span<const int64_t> indices, PartOf part_of, PartSink sink);
  bool Reserve(int64_t bytes);
  void Release(int64_t bytes);
  void CountDecoding(double seconds);
  void CountReading(const VideoReader& reader);

  const int64_t budget_;
  const VideoLimits limits_;
  mutable absl::Mutex mutex_;
  // By path.  Entries are never taken out, so pointers to them stay.
  absl::flat_hash_map<std::string, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  Counters counters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_FRAME_STORE_H_
