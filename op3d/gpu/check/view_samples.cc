#include "op3d/gpu/check/view_samples.h"

#include <ATen/ATen.h>

#include <numeric>
#include <utility>

#include "data/transform/clip_transform.h"
#include "data/video/image/yuv_to_rgb.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"

namespace op3d::gpu {
namespace {

void FillPixels(int64_t count, at::Device device, data::ByteViews* views) {
  const at::Tensor noise =
      at::randint(16, 236, {count}, at::TensorOptions(at::kByte).device(device)).cpu();
  const uint8_t* const bytes = noise.const_data_ptr<uint8_t>();
  views->pixels.assign(bytes, bytes + count);
}

data::ByteViews Clip(int frames, int side) {
  data::ByteViews views;
  views.width = views.height = side;
  views.frames = frames;
  views.pictures.resize(frames);
  std::iota(views.pictures.begin(), views.pictures.end(), 0);
  views.crops = {{0, 0, side, side}};
  return views;
}

TransformSettings TrainingTransform(int side) {
  TransformSettings settings;
  for (const auto set :
       {&TransformSettings::set_train_crop, &TransformSettings::set_search_short_side,
        &TransformSettings::set_search_crop, &TransformSettings::set_test_short_side,
        &TransformSettings::set_test_crop}) {
    (settings.*set)(side);
  }
  settings.set_min_area(0.3);
  settings.set_max_area(1);
  settings.set_jitter_probability(1);
  settings.set_brightness(0.4);
  settings.set_contrast(0.4);
  settings.set_saturation(0.4);
  settings.set_grey_probability(0.3);
  settings.set_horizontal_flip(true);
  return settings;
}

}  // namespace

std::vector<data::ByteViews> ByteSamples(int clips, int frames, int side, at::Device device) {
  std::vector<data::ByteViews> all;
  for (int i = 0; i < clips; ++i) {
    data::ByteViews views = Clip(frames, side);
    FillPixels(int64_t{3} * frames * side * side, device, &views);
    views.mirror = i % 2 == 1;
    all.push_back(std::move(views));
  }
  return all;
}

absl::StatusOr<data::ByteViews> PlaneSample(int number, int width, int height, int frames, int side,
                                            at::Device device) {
  const TransformSettings settings = TrainingTransform(side);
  RandomStream stream(1, "gpu_check.planes", {number});
  OP3D_ASSIGN_OR_RETURN(const data::ClipTransform transform,
                        data::ClipTransform::ForTraining(
                            data::DrawTrainTransform(settings, width, height, &stream), settings));
  data::ByteViews views = Clip(frames, side);
  views.planes.emplace(data::PlaneParts{width,
                                        height,
                                        {104597, 132201, 25675, 53279},  // BT.601
                                        false,
                                        transform.needed(),
                                        data::ChromaBox(transform.needed(), width, height),
                                        transform.resize(),
                                        transform.draw()});
  views.mirror = transform.mirror();
  FillPixels(frames * views.planes->PictureBytes(), device, &views);
  return views;
}

int64_t PixelBytes(const std::vector<data::ByteViews>& views) {
  int64_t bytes = 0;
  for (const data::ByteViews& one : views) bytes += static_cast<int64_t>(one.pixels.size());
  return bytes;
}

}  // namespace op3d::gpu
