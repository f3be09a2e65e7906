// From pictures to the network's input in one pass, for a batch of views.  A view's pictures are
// either resized and coloured already, red, green and blue in bytes; or parts of decoded pictures,
// planar YUV 4:2:0, of which this makes the rest: colours, antialiased resize, crop, colour
// jitter.  Then flip and normalise.
//
//   ViewBatch batch = {views, /*count=*/8, /*frames=*/16, /*size=*/224};
//   // If a view has contrast, first:
//   ContrastSums sums = {batch, luma_sums};
//   MakeViews<Bf16> make = {batch, luma_sums, out};      // [8, 3, 16, 224, 224]
//
// Integer arithmetic as in data/video/image/yuv_to_rgb.h, data/transform/resize.h and colour.h:
// the same bytes as ClipTransform's before normalising, and the same floats as
// data::NormaliseViews.  Hue, blur and RandAugment stay on the CPU.
#ifndef OP3D_GPU_KERNELS_VIEW_KERNELS_H_
#define OP3D_GPU_KERNELS_VIEW_KERNELS_H_

#include <cstdint>

#include "op3d/gpu/kernels/host_device.h"

namespace op3d::gpu {

// One direction of a resize: output i is the sum over k < taps of source pixel first[i] + k times
// weights[i * taps + k] / 2^22, rounded to bytes; taps 0: it is the source pixel first[i].
struct ResizeAxis {
  int32_t taps;
  const int32_t* first;    // [size], in the part's own coordinates
  const int32_t* weights;  // [size * taps]
};

// The colour sample of each column of the part of Y and the one after it, with their weights.
struct ChromaColumns {
  const int32_t* position;  // [width], in the part of U and V
  const int16_t* first;     // [width], first + second is about 2^14
  const int16_t* second;
};

// The row of colour samples of each row of the part of Y, times two, plus 1 if its mean with the
// next row counts.
struct ChromaRows {
  const int32_t* row_and_mean;  // [height]
};

// The coefficients of YUV to RGB, as in YuvToRgb.
struct YuvColours {
  int32_t luma_scale, luma_offset, red_v, green_u, green_v, blue_u;
};

enum class ColourStep : int32_t { kNone, kBrightness, kContrast, kSaturation, kGrey };

inline constexpr int kColourSteps = 4;

// The decoded pictures of a video and what becomes of them.  Pointers are to memory of the device
// that runs the kernel.
struct PlanePictures {
  // Parts of Y, U and V of picture 0; pictures are `picture_bytes` apart.
  const uint8_t* planes[3];
  int64_t picture_bytes;
  int32_t strides[3];
  YuvColours colours;
  ChromaColumns chroma_columns;
  ChromaRows chroma_rows;
  // To the whole resized picture.
  ResizeAxis columns, rows;
  // In this order; contrast at most once.
  ColourStep steps[kColourSteps];
  float factors[kColourSteps];
};

// A square part of pictures after resizing.
struct View {
  // Null: `pixels` are resized already.
  const PlanePictures* planes;
  const uint8_t* pixels;    // [pictures, height, width, 3], red first
  const int32_t* pictures;  // [frames]: the picture that each frame shows
  int32_t width, height;
  int32_t left, top;  // of the square
  int32_t mirror;
  // Not 0: x in red, y in green, and zeros as the third plane; `mirror` negates x.
  int32_t flow;
};

struct ViewBatch {
  const View* views;  // [count]
  int64_t count, frames;
  int32_t size;  // side of the square
};

struct Rgb {
  int32_t values[3];
};

OP3D_HD int32_t ClampByte(int32_t value) { return value < 0 ? 0 : (value > 255 ? 255 : value); }

// libswscale's sums of 16 bits: a sample of one row of the picture, times 128.
OP3D_HD int32_t WideChroma(const PlanePictures& plan, const uint8_t* row, int32_t x) {
  const uint8_t* at = row + plan.chroma_columns.position[x];
  return static_cast<int16_t>(
      (at[0] * plan.chroma_columns.first[x] + at[1] * plan.chroma_columns.second[x]) >> 7);
}

// A pixel of a decoded picture as bytes of RGB.
OP3D_HD Rgb SourcePixel(const PlanePictures& plan, int64_t picture, int32_t x, int32_t y) {
  const int64_t offset = picture * plan.picture_bytes;
  const int32_t code = plan.chroma_rows.row_and_mean[y];
  int32_t chroma[2];
  for (int c = 0; c < 2; ++c) {
    const int32_t stride = plan.strides[c + 1];
    const uint8_t* upper = plan.planes[c + 1] + offset + static_cast<int64_t>(code >> 1) * stride;
    const int32_t a = WideChroma(plan, upper, x);
    const int32_t b = (code & 1) != 0 ? WideChroma(plan, upper + stride, x) : a;
    chroma[c] = static_cast<int16_t>(a + b - 32768);
  }
  const YuvColours& k = plan.colours;
  const int32_t luma = plan.planes[0][offset + static_cast<int64_t>(y) * plan.strides[0] + x];
  const int32_t base = (luma * k.luma_scale - k.luma_offset) * 256 + (1 << 20);
  return {{ClampByte((base + chroma[1] * k.red_v) >> 21),
           ClampByte((base + chroma[1] * k.green_v + chroma[0] * k.green_u) >> 21),
           ClampByte((base + chroma[0] * k.blue_u) >> 21)}};
}

inline constexpr int kWeightBits = 22;

OP3D_HD int32_t WeightedByte(int32_t sum) {
  sum >>= kWeightBits;
  return sum > 255 ? 255 : sum;
}

// A source row resized to column x.
OP3D_HD Rgb ResizedAlongX(const PlanePictures& plan, int64_t picture, int32_t x, int32_t y) {
  const ResizeAxis& axis = plan.columns;
  if (axis.taps == 0) return SourcePixel(plan, picture, axis.first[x], y);
  int32_t sums[3] = {1 << (kWeightBits - 1), 1 << (kWeightBits - 1), 1 << (kWeightBits - 1)};
  for (int32_t k = 0; k < axis.taps; ++k) {
    const int32_t weight = axis.weights[static_cast<int64_t>(x) * axis.taps + k];
    // All outputs have the same number of taps; those that are not needed have weight 0.
    if (weight == 0) continue;
    const Rgb pixel = SourcePixel(plan, picture, axis.first[x] + k, y);
    for (int c = 0; c < 3; ++c) sums[c] += pixel.values[c] * weight;
  }
  return {{WeightedByte(sums[0]), WeightedByte(sums[1]), WeightedByte(sums[2])}};
}

// Pixel (x, y) of the resized picture, before jitter and flip.
OP3D_HD Rgb ResizedPixel(const PlanePictures& plan, int64_t picture, int32_t x, int32_t y) {
  const ResizeAxis& axis = plan.rows;
  if (axis.taps == 0) return ResizedAlongX(plan, picture, x, axis.first[y]);
  int32_t sums[3] = {1 << (kWeightBits - 1), 1 << (kWeightBits - 1), 1 << (kWeightBits - 1)};
  for (int32_t k = 0; k < axis.taps; ++k) {
    const int32_t weight = axis.weights[static_cast<int64_t>(y) * axis.taps + k];
    if (weight == 0) continue;
    const Rgb pixel = ResizedAlongX(plan, picture, x, axis.first[y] + k);
    for (int c = 0; c < 3; ++c) sums[c] += pixel.values[c] * weight;
  }
  return {{WeightedByte(sums[0]), WeightedByte(sums[1]), WeightedByte(sums[2])}};
}

OP3D_HD int32_t Luma(const Rgb& pixel) {
  return (pixel.values[0] * 19595 + pixel.values[1] * 38470 + pixel.values[2] * 7471 + 32768) >> 16;
}

// other + factor * (value - other), clipped and truncated.
OP3D_HD int32_t MixBytes(float other, float factor, int32_t value) {
  float mixed = other + factor * (static_cast<float>(value) - other);
  if (!(mixed > 0.0f)) mixed = 0.0f;
  if (mixed > 255.0f) mixed = 255.0f;
  return static_cast<int32_t>(mixed);
}

// The steps [0, end).  `contrast` is the mean of the luma before the contrast's step.
OP3D_HD void Jitter(const PlanePictures& plan, int end, float contrast, Rgb* pixel) {
  for (int step = 0; step < end; ++step) {
    const float factor = plan.factors[step];
    const int32_t luma = Luma(*pixel);
    for (int c = 0; c < 3; ++c) {
      int32_t* value = &pixel->values[c];
      switch (plan.steps[step]) {
        case ColourStep::kNone:
          break;
        case ColourStep::kBrightness:
          *value = MixBytes(0.0f, factor, *value);
          break;
        case ColourStep::kContrast:
          *value = MixBytes(contrast, factor, *value);
          break;
        case ColourStep::kSaturation:
          *value = MixBytes(static_cast<float>(luma), factor, *value);
          break;
        case ColourStep::kGrey:
          *value = luma;
          break;
      }
    }
  }
}

// The position of a plan's contrast among its steps; -1 without one.
OP3D_HD int ContrastStep(const PlanePictures& plan) {
  for (int step = 0; step < kColourSteps; ++step) {
    if (plan.steps[step] == ColourStep::kContrast) return step;
  }
  return -1;
}

// The sum of the luma of every frame's square before its contrast step, 0 without one.  One tile a
// frame.  Whole numbers: exact in any order.
struct ContrastSums {
  static constexpr int kThreads = 256, kPhases = 2;
  struct Shared {
    int64_t sums[kThreads];
  };
  ViewBatch batch;
  int64_t* luma_sums;  // [count, frames]

  OP3D_HD int64_t tiles() const { return batch.count * batch.frames; }
  OP3D_HD void Phase(int phase, int64_t tile, int thread, Shared* shared) const {
    const View& view = batch.views[tile / batch.frames];
    if (phase == 0) {
      const int end = view.planes == nullptr ? -1 : ContrastStep(*view.planes);
      int64_t sum = 0;
      for (int32_t i = thread; end >= 0 && i < batch.size * batch.size; i += kThreads) {
        Rgb pixel = ResizedPixel(*view.planes, view.pictures[tile % batch.frames],
                                 view.left + i % batch.size, view.top + i / batch.size);
        Jitter(*view.planes, end, 0, &pixel);
        sum += Luma(pixel);
      }
      shared->sums[thread] = sum;
    } else if (thread == 0) {
      int64_t sum = 0;
      for (int k = 0; k < kThreads; ++k) sum += shared->sums[k];
      luma_sums[tile] = sum;
    }
  }
};

// The network's input, T = float, Bf16 or Fp16.  `luma_sums` may be null if no view has contrast.
template <typename T>
struct MakeViews {
  ViewBatch batch;
  const int64_t* luma_sums;
  T* out;  // [count, 3, frames, size, size]

  OP3D_HD int64_t points() const { return batch.count * batch.frames * batch.size * batch.size; }
  OP3D_HD void operator()(int64_t i) const {
    int64_t x, y, frame;
    const int64_t line = Divide(i, batch.size, &x);
    const int64_t tile = Divide(line, batch.size, &y);
    const int64_t number = Divide(tile, batch.frames, &frame);
    const View& view = batch.views[number];
    const int32_t column =
        view.left + static_cast<int32_t>(view.mirror != 0 ? batch.size - 1 - x : x);
    const int32_t row = view.top + static_cast<int32_t>(y);
    const Rgb pixel = view.planes != nullptr ? Coloured(view, tile, frame, column, row)
                                             : Stored(view, frame, column, row);
    const int64_t plane = int64_t{batch.size} * batch.size;
    T* to = out + (number * 3 * batch.frames + frame) * plane + y * batch.size + x;
    if (view.flow != 0) {
      const int32_t right = view.mirror != 0 ? 255 - pixel.values[0] : pixel.values[0];
      Store((static_cast<float>(right) / 255.0f - 0.5f) / 0.229f, to);
      Store((static_cast<float>(pixel.values[1]) / 255.0f - 0.5f) / 0.229f,
            to + batch.frames * plane);
      Store(0.0f, to + 2 * batch.frames * plane);
      return;
    }
    constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
    constexpr float kDeviation[3] = {0.229f, 0.224f, 0.225f};
    for (int c = 0; c < 3; ++c) {
      Store((static_cast<float>(pixel.values[c]) / 255.0f - kMean[c]) / kDeviation[c],
            to + c * batch.frames * plane);
    }
  }

 private:
  OP3D_HD Rgb Stored(const View& view, int64_t frame, int32_t column, int32_t row) const {
    const int64_t line = int64_t{view.pictures[frame]} * view.height + row;
    const uint8_t* const at = view.pixels + (line * view.width + column) * 3;
    return {{at[0], at[1], at[2]}};
  }
  OP3D_HD Rgb Coloured(const View& view, int64_t tile, int64_t frame, int32_t column,
                       int32_t row) const {
    const PlanePictures& plan = *view.planes;
    Rgb pixel = ResizedPixel(plan, view.pictures[frame], column, row);
    float contrast = 0;
    if (ContrastStep(plan) >= 0) {
      const double count = static_cast<double>(batch.size) * batch.size;
      contrast = static_cast<float>(
          static_cast<int32_t>(static_cast<double>(luma_sums[tile]) / count + 0.5));
    }
    Jitter(plan, kColourSteps, contrast, &pixel);
    return pixel;
  }
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_VIEW_KERNELS_H_
