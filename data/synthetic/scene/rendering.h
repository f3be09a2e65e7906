// Renders one synthetic video: background, distractors, the actor, flicker and noise.
//
//   RandomStream stream(seed, "kinetics400.train.video", {index});
//   const Rendering rendering(video_class, VideoShape{}, VideoStyle{}, stream);
//   OP3D_RETURN_IF_ERROR(rendering.Render([&](const RgbImage& image) { return Use(image); }));
#ifndef OP3D_DATA_SYNTHETIC_SCENE_RENDERING_H_
#define OP3D_DATA_SYNTHETIC_SCENE_RENDERING_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "data/synthetic/scene/background.h"
#include "data/synthetic/scene/figure.h"
#include "data/synthetic/scene/motion.h"
#include "data/synthetic/scene/video_class.h"
#include "data/video/image/image.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

// All random parameters of one video, except the noise.
class Rendering {
 public:
  // The video uses all of `stream`'s numbers from here on.
  Rendering(const VideoClass& video_class, const VideoShape& shape, const VideoStyle& style,
            RandomStream stream);

  const VideoShape& shape() const { return shape_; }
  // The frames [first, end) in which the actor is visible.
  int first_present() const { return first_present_; }
  int end_present() const { return end_present_; }

  // Calls `sink` for the frames in order; an error from it stops the rendering and is returned.
  absl::Status Render(absl::FunctionRef<absl::Status(const RgbImage&)> sink) const;

 private:
  struct Distractor {
    Figure figure;
    double x, y;
    // Pixels a frame.
    double speed_x, speed_y;
  };
  static Distractor DrawDistractor(const VideoShape& shape, RandomStream* stream);
  void Finish(int frame, const Canvas& canvas, RandomStream* noise, RgbImage* image) const;

  const VideoShape shape_;
  Background background_;
  std::vector<Distractor> distractors_;
  Figure actor_;
  int first_present_ = 0;
  int end_present_ = 0;
  Trajectory trajectory_;
  // Brightness changes by +-`flicker_` (a share), with this period in frames and phase in turns.
  double flicker_ = 0.0;
  double flicker_period_ = 1.0;
  double flicker_phase_ = 0.0;
  // Standard deviation of the grey noise, in [0, 1].
  double noise_ = 0.0;
  RandomStream noise_stream_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SCENE_RENDERING_H_
