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

}  // namespace

absl::Status MakeClipViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    FrameStore* store, absl::Span<float> out, ViewSeconds* seconds) {
  const std::vector<Use> uses = UsesByFrame(clips);
  std::vector<int64_t> wanted;
  for (const Use& use : uses) {
    if (wanted.empty() || wanted.back() != use.frame) wanted.push_back(use.frame);
  }
  const size_t times = clips.empty() ? 0 : clips[0].size();
  std::optional<ClipTransform> transform;
  double transform_seconds = 0;
  auto use = uses.begin();

  auto needed = [&](int width, int height) -> absl::StatusOr<Box> {
    const Clock::time_point start = Clock::now();
    OP3D_ASSIGN_OR_RETURN(ClipTransform made, make_transform(width, height));
    made.SetContent(video.content);
    const size_t size = made.size();
    if (out.size() != clips.size() * made.crops() * 3 * times * size * size) {
      return absl::InternalError(absl::StrCat("views of ", size, "x", size,
                                              " pixels do not fill a buffer of ", out.size()));
    }
    transform.emplace(std::move(made));
    transform_seconds += SecondsSince(start);
    return transform->needed();
  };

  auto show = [&](int64_t frame, const RgbImage& image, const Box& part) {
    const Clock::time_point start = Clock::now();
    OP3D_RETURN_IF_ERROR(transform->LoadPart(image, part));
    const size_t plane = static_cast<size_t>(transform->size()) * transform->size();
    for (; use != uses.end() && use->frame == frame; ++use) {
      for (int crop = 0; crop < transform->crops(); ++crop) {
        const size_t view = use->clip * transform->crops() + crop;
        transform->Store(crop, out.data() + (view * 3 * times + use->time) * plane,
                         static_cast<int64_t>(times * plane));
      }
    }
    transform_seconds += SecondsSince(start);
    return absl::OkStatus();
  };

  const Clock::time_point start = Clock::now();
  const absl::Status status = store->ReadParts(video, wanted, needed, show);
  seconds->read += SecondsSince(start) - transform_seconds;
  seconds->transform += transform_seconds;
  return Annotate(status, video.name);
}

}  // namespace op3d::data
