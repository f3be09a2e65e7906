#include "data/loader/clip_views.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Frame `frame` of the video is frame `time` of clip `clip`.
struct Use {
  int64_t frame;
  size_t clip;
  size_t time;
};

std::vector<Use> UsesByFrame(absl::Span<const std::vector<int64_t>> clips) {
  std::vector<Use> uses;
  for (size_t clip = 0; clip < clips.size(); ++clip) {
    for (size_t time = 0; time < clips[clip].size(); ++time) {
      uses.push_back({clips[clip][time], clip, time});
    }
  }
  std::stable_sort(uses.begin(), uses.end(),
                   [](const Use& a, const Use& b) { return a.frame < b.frame; });
  return uses;
}

// The frames of all clips, each once, in order.
std::vector<int64_t> FramesOf(absl::Span<const Use> uses) {
  std::vector<int64_t> frames;
  for (const Use& use : uses) {
    if (frames.empty() || frames.back() != use.frame) frames.push_back(use.frame);
  }
  return frames;
}

using MakeTransform = absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)>;

// Reads the frames; calls `prepare` with the transform before the first one, and `show` with each.
// Adds to `seconds`.
absl::Status ReadFrames(
    const Video& video, absl::Span<const int64_t> frames, MakeTransform make_transform,
    FrameStore* store, absl::FunctionRef<absl::Status(const ClipTransform&)> prepare,
    absl::FunctionRef<absl::Status(ClipTransform*, int64_t, const RgbImage&, const Box&)> show,
    ViewSeconds* seconds) {
  std::optional<ClipTransform> transform;
  double transform_seconds = 0;
  auto needed = [&](int width, int height) -> absl::StatusOr<Box> {
    const Clock::time_point start = Clock::now();
    OP3D_ASSIGN_OR_RETURN(ClipTransform made, make_transform(width, height));
    made.SetContent(video.content);
    transform.emplace(std::move(made));
    OP3D_RETURN_IF_ERROR(prepare(*transform));
    transform_seconds += SecondsSince(start);
    return transform->needed();
  };
  auto use = [&](int64_t frame, const RgbImage& image, const Box& part) {
    const Clock::time_point start = Clock::now();
    OP3D_RETURN_IF_ERROR(show(&*transform, frame, image, part));
    transform_seconds += SecondsSince(start);
    return absl::OkStatus();
  };
  const Clock::time_point start = Clock::now();
  const absl::Status status = store->ReadParts(video, frames, needed, use);
  seconds->read += SecondsSince(start) - transform_seconds;
  seconds->transform += transform_seconds;
  return Annotate(status, video.name);
}

}  // namespace

absl::Status MakeClipViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    FrameStore* store, absl::Span<float> out, ViewSeconds* seconds) {
  const std::vector<Use> uses = UsesByFrame(clips);
  const size_t times = clips.empty() ? 0 : clips[0].size();
  auto use = uses.begin();
  return ReadFrames(
      video, FramesOf(uses), make_transform, store,
      [&](const ClipTransform& transform) {
        const size_t size = transform.size();
        if (out.size() == clips.size() * transform.crops() * 3 * times * size * size) {
          return absl::OkStatus();
        }
        return absl::InternalError(absl::StrCat("views of ", size, "x", size,
                                                " pixels do not fill a buffer of ", out.size()));
      },
      [&](ClipTransform* transform, int64_t frame, const RgbImage& image, const Box& part) {
        OP3D_RETURN_IF_ERROR(transform->LoadPart(image, part));
        const size_t plane = static_cast<size_t>(transform->size()) * transform->size();
        for (; use != uses.end() && use->frame == frame; ++use) {
          for (int crop = 0; crop < transform->crops(); ++crop) {
            const size_t view = use->clip * transform->crops() + crop;
            transform->Store(crop, out.data() + (view * 3 * times + use->time) * plane,
                             static_cast<int64_t>(times * plane));
          }
        }
        return absl::OkStatus();
      },
      seconds);
}

absl::Status MakeByteViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    FrameStore* store, ByteViews* views, ViewSeconds* seconds) {
  const std::vector<Use> uses = UsesByFrame(clips);
  const std::vector<int64_t> frames = FramesOf(uses);
  const size_t times = clips.empty() ? 0 : clips[0].size();
  views->frames = static_cast<int>(times);
  views->content = video.content;
  views->pictures.resize(clips.size() * times);
  for (const Use& use : uses) {
    const auto place = std::lower_bound(frames.begin(), frames.end(), use.frame);
    views->pictures[use.clip * times + use.time] = static_cast<int32_t>(place - frames.begin());
  }
  size_t next = 0;
  return ReadFrames(
      video, frames, make_transform, store,
      [&](const ClipTransform& transform) {
        const PictureSize picture = transform.picture();
        views->width = picture.width;
        views->height = picture.height;
        views->mirror = transform.mirror();
        views->crops.clear();
        for (int crop = 0; crop < transform.crops(); ++crop) {
          views->crops.push_back(transform.crop_box(crop));
        }
        // Not cleared before: a vector writes zeros where it grows.
        views->pixels.resize(frames.size() * 3 * picture.width * picture.height);
        return absl::OkStatus();
      },
      [&](ClipTransform* transform, int64_t, const RgbImage& image, const Box& part) {
        const size_t bytes = size_t{3} * views->width * views->height;
        return transform->WritePart(image, part, views->pixels.data() + bytes * next++);
      },
      seconds);
}

}  // namespace op3d::data
