#include "data/loader/clip_views.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
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

// What becomes of frames.
struct FrameUse {
  // Called with the transform before the first frame.
  std::function<absl::Status(const ClipTransform&)> prepare;
  std::function<absl::Status(ClipTransform*, int64_t, const RgbImage&, const Box&)> show;
  // Of frames as decoded, after `prepare`.
  std::function<bool()> planes_wanted;
  std::function<absl::Status(const ClipTransform&, int64_t, const YuvPicture&)> keep_planes;
};

// Reads the frames.  Adds to `seconds`.
absl::Status ReadFrames(const Video& video, absl::Span<const int64_t> frames,
                        MakeTransform make_transform, const FrameUse& frame_use, FrameStore* store,
                        ViewSeconds* seconds) {
  std::optional<ClipTransform> transform;
  double transform_seconds = 0;
  const auto timed = [&transform_seconds](absl::FunctionRef<absl::Status()> use) {
    const Clock::time_point start = Clock::now();
    const absl::Status used = use();
    transform_seconds += SecondsSince(start);
    return used;
  };
  auto needed = [&](int width, int height) -> absl::StatusOr<Box> {
    OP3D_RETURN_IF_ERROR(timed([&]() -> absl::Status {
      OP3D_ASSIGN_OR_RETURN(ClipTransform made, make_transform(width, height));
      made.SetContent(video.content);
      transform.emplace(std::move(made));
      return frame_use.prepare(*transform);
    }));
    return transform->needed();
  };
  auto show = [&](int64_t frame, const RgbImage& image, const Box& part) {
    return timed([&] { return frame_use.show(&*transform, frame, image, part); });
  };
  auto keep = [&](int64_t frame, const YuvPicture& picture) {
    return timed([&] { return frame_use.keep_planes(*transform, frame, picture); });
  };
  const Clock::time_point start = Clock::now();
  const absl::Status status =
      store->ReadPlanesOrParts(video, frames, needed, frame_use.planes_wanted, keep, show);
  seconds->read += SecondsSince(start) - transform_seconds;
  seconds->transform += transform_seconds;
  return Annotate(status, video.name);
}

// Frames may be given as decoded for `transform`.
bool TakesPlanes(const ClipTransform& transform) {
  if (transform.content() != FrameContent::kPictures || !CpuOnly(transform.draw()).empty()) {
    return false;
  }
  const PictureSize resized = transform.picture();
  const Box& needed = transform.needed();
  // Y, and U and V of half the sides.
  const int64_t planes = int64_t{needed.width} * needed.height * 3 / 2;
  return planes <= kMostPlaneBytes * 3 * resized.width * resized.height;
}

void CopyBox(const uint8_t* plane, ptrdiff_t stride, const Box& box, uint8_t* out) {
  for (int y = 0; y < box.height; ++y) {
    std::memcpy(out + int64_t{y} * box.width, plane + (box.top + y) * stride + box.left, box.width);
  }
}

// Writes the parts of picture `place` of `count`.
void KeepPlanes(const ClipTransform& transform, const YuvPicture& picture, size_t place,
                size_t count, ByteViews* views) {
  if (!views->planes.has_value()) {
    const Box& needed = transform.needed();
    views->planes.emplace(PlaneParts{
        picture.width, picture.height, picture.matrix, picture.full_range, needed,
        ChromaBox(needed, picture.width, picture.height), transform.resize(), transform.draw()});
    views->pixels.resize(count * views->planes->PictureBytes());
  }
  const PlaneParts& parts = *views->planes;
  uint8_t* out = views->pixels.data() + place * parts.PictureBytes();
  CopyBox(picture.planes[0], picture.strides[0], parts.luma, out);
  out += parts.LumaBytes();
  CopyBox(picture.planes[1], picture.strides[1], parts.chroma, out);
  CopyBox(picture.planes[2], picture.strides[2], parts.chroma, out + parts.ChromaBytes());
}

}  // namespace

absl::Status MakeClipViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    FrameStore* store, absl::Span<float> out, ViewSeconds* seconds) {
  const std::vector<Use> uses = UsesByFrame(clips);
  const size_t times = clips.empty() ? 0 : clips[0].size();
  auto use = uses.begin();
  const FrameUse frame_use = {
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
      [] { return false; },
      [](const ClipTransform&, int64_t, const YuvPicture&) { return absl::OkStatus(); }};
  return ReadFrames(video, FramesOf(uses), make_transform, frame_use, store, seconds);
}

absl::Status MakeByteViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    bool planes, FrameStore* store, ByteViews* views, ViewSeconds* seconds) {
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
  views->planes.reset();
  const auto bytes_of = [views] { return size_t{3} * views->width * views->height; };
  const auto place_of = [&frames](int64_t frame) {
    return static_cast<size_t>(std::lower_bound(frames.begin(), frames.end(), frame) -
                               frames.begin());
  };
  bool takes_planes = false;
  const FrameUse frame_use = {
      [&](const ClipTransform& transform) {
        const PictureSize picture = transform.picture();
        views->width = picture.width;
        views->height = picture.height;
        views->mirror = transform.mirror();
        views->crops.clear();
        for (int crop = 0; crop < transform.crops(); ++crop) {
          views->crops.push_back(transform.crop_box(crop));
        }
        takes_planes = planes && TakesPlanes(transform);
        return absl::OkStatus();
      },
      [&](ClipTransform* transform, int64_t frame, const RgbImage& image, const Box& part) {
        // After a picture that could not be given as decoded.
        views->planes.reset();
        // Not cleared before: a vector writes zeros where it grows.
        views->pixels.resize(frames.size() * bytes_of());
        return transform->WritePart(image, part,
                                    views->pixels.data() + place_of(frame) * bytes_of());
      },
      [&] { return takes_planes; },
      [&](const ClipTransform& transform, int64_t frame, const YuvPicture& picture) {
        KeepPlanes(transform, picture, place_of(frame), frames.size(), views);
        return absl::OkStatus();
      }};
  return ReadFrames(video, frames, make_transform, frame_use, store, seconds);
}

}  // namespace op3d::data
