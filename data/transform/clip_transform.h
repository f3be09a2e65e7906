// From the decoded frames of a clip to the network's input: the same crop, colours and flip for all
// frames.
//
//   RandomStream stream(seed, "train.clip", {epoch, video});
//   const TrainDraw draw = DrawTrainTransform(settings, width, height, &stream);
//   OP3D_ASSIGN_OR_RETURN(ClipTransform transform, ClipTransform::ForTraining(draw, settings));
//   for (int t = 0; t < T; ++t) {                         // clip: [3, T, size, size]
//     OP3D_RETURN_IF_ERROR(transform.Load(*frames[t]));
//     transform.Store(/*crop=*/0, clip + t * size * size, /*plane_stride=*/T * size * size);
//   }
//
// Training: random resized crop; colour jitter in random order, greyscale and blur, or RandAugment;
// flip, normalise.
// Search: short side, centre crop.  Test: short side, the crops centre, top-left, bottom-right.
// Bytes until the last step.  Each frame is processed by itself, so that it stays in the cache, and
// only the pixels that are kept are resized.
#ifndef OP3D_DATA_TRANSFORM_CLIP_TRANSFORM_H_
#define OP3D_DATA_TRANSFORM_CLIP_TRANSFORM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/datasets/dataset.pb.h"
#include "data/transform/blur.h"
#include "data/transform/crop.h"
#include "data/transform/rand_augment.h"
#include "data/transform/resize.h"
#include "data/video/image/image.h"
#include "data/video/stored/stored_frames.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

// InvalidArgument, naming the field: a size that is not positive (or a test or search crop larger
// than its short side), areas outside 0 < min <= max <= 1, probabilities outside [0, 1], jitter
// outside [0, 1], hue outside [0, 0.5], RandAugment with more than 16 draws or a magnitude
// above 30.
absl::Status CheckTransformSettings(const TransformSettings& settings);

// All random numbers of a training clip.
struct TrainDraw {
  // Of the source frames.
  int width = 0;
  int height = 0;
  Box crop;

  enum class Colour { kBrightness, kContrast, kSaturation, kHue };
  bool jitter = false;
  std::array<Colour, 4> order = {Colour::kBrightness, Colour::kContrast, Colour::kSaturation,
                                 Colour::kHue};
  // Factors, 1 = unchanged.
  float brightness = 1;
  float contrast = 1;
  float saturation = 1;
  // In turns; not set = colours are not converted to bytes of HSV, which would change some.
  std::optional<double> hue;

  bool grey = false;
  // The blur's sigma in pixels; not set = no blur.
  std::optional<float> blur_sigma;
  // RandAugment, in this order; with it jitter, grey and blur stay off.
  std::vector<AugmentStep> augment;
  bool mirror = false;
};

// What of a draw only ClipTransform can do, and no other implementation of it (op3d/gpu): "hue",
// "blur" or "RandAugment"; empty = nothing.
absl::string_view CpuOnly(const TrainDraw& draw);

// Draws for frames of `width` x `height`.  The draws for one setting do not change those for
// another, so that runs that differ in one setting get the same crops and flips.  Parts of the
// jitter set to 0 change nothing.  A blur's sigma is uniform in [0.1, 2).
TrainDraw DrawTrainTransform(const TransformSettings& settings, int width, int height,
                             RandomStream* stream);

// The transform of one clip.  Not thread-safe, because it holds scratch memory.
class ClipTransform {
 public:
  // InvalidArgument for invalid settings (CheckTransformSettings) or an impossible frame size.
  static absl::StatusOr<ClipTransform> ForTraining(const TrainDraw& draw,
                                                   const TransformSettings& settings);
  // Frames are `width` x `height`.
  static absl::StatusOr<ClipTransform> ForSearch(const TransformSettings& settings, int width,
                                                 int height);
  static absl::StatusOr<ClipTransform> ForTest(const TransformSettings& settings, int width,
                                               int height);

  // The frame content; pictures if it is not called.  For flow (x in red, y in green) only the crop
  // and the flip are applied: no colours, no blur.
  void SetContent(FrameContent content);

  // Side of the output square, in pixels.
  int size() const { return size_; }
  // 1, or 3 in a test.
  int crops() const { return static_cast<int>(crops_.size()); }

  // What it does, for other implementations of it (op3d/gpu).
  const Resize& resize() const { return resize_; }
  const TrainDraw& draw() const { return draw_; }
  FrameContent content() const { return content_; }

  // Whether Store swaps left and right.
  bool mirror() const { return draw_.mirror; }

  // The size of the resized picture of which the crops are parts.
  PictureSize picture() const { return {resize_.window().width, resize_.window().height}; }

  // The part of each frame that the crops need.
  const Box& needed() const { return resize_.needed(); }

  // Processes one frame, for Store.  InvalidArgument: not of the size this was made for.
  absl::Status Load(const RgbImage& frame);
  // The same for the box `part` of a frame.  InvalidArgument: `image` does not have its size, or
  // needed() is not inside it.
  absl::Status LoadPart(const RgbImage& image, const Box& part);
  // What LoadPart makes of it, to `pixels`, [picture().height, picture().width, 3]: all but
  // mirroring and normalising.  Errors of LoadPart.
  absl::Status WritePart(const RgbImage& image, const Box& part, uint8_t* pixels);

  // Writes crop `crop` of the loaded frame as three planes of size() x size() floats: channel c at
  // out + c * plane_stride.  May be called more than once per frame.  For flow: x, y and zeros,
  // with the published mean 0.5 and deviation 0.229; a mirrored x is negated.
  void Store(int crop, float* out, int64_t plane_stride) const;

  // The loaded frame before normalising, [height, width, 3], not yet mirrored; crop c is
  // crop_box(c) of it.
  const std::vector<uint8_t>& pixels() const { return pixels_; }
  const Box& crop_box(int crop) const { return crops_[crop]; }

 private:
  ClipTransform(Resize resize, int width, int height, int size)
      : resize_(std::move(resize)), width_(width), height_(height), size_(size) {}
  static absl::StatusOr<ClipTransform> ForEvaluation(absl::Span<const CropPlace> places,
                                                     int short_side, int size, int width,
                                                     int height);
  absl::Status ResizePart(const RgbImage& image, const Box& part, uint8_t* pixels);
  bool Colours() const;
  void Jitter();

  Resize resize_;
  // Of the source frames.
  int width_;
  int height_;
  int size_;
  // Boxes of the resized window.
  std::vector<Box> crops_;
  // Default values in an evaluation, which has nothing random.
  TrainDraw draw_;
  FrameContent content_ = FrameContent::kPictures;
  std::optional<Blur> blur_;
  std::vector<uint8_t> pixels_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_CLIP_TRANSFORM_H_
