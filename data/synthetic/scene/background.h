// The background of a synthetic video: a colour and two drifting gratings.
//
//   const Background background = Background::Draw(Scene::kBars, /*contrast=*/1.0, &stream);
//   background.Paint(frame, &canvas);           // every pixel
#ifndef OP3D_DATA_SYNTHETIC_SCENE_BACKGROUND_H_
#define OP3D_DATA_SYNTHETIC_SCENE_BACKGROUND_H_

#include <array>

#include "data/synthetic/scene/canvas.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

enum class Scene {
  // Waves of 8-24 pixels in any direction, amplitude 0.04-0.10, on a colour of 0.4-1.
  kPlain,
  // Both waves nearly vertical, 1.6 times as strong.
  kBars,
  // The signs of two crossed waves of 10-16 pixels: like a tablecloth.
  kChecks,
};

class Background {
 public:
  // `contrast`: factor on the amplitudes.
  static Background Draw(Scene scene, double contrast, RandomStream* stream);

  void Paint(int frame, Canvas* canvas) const;

 private:
  // sin(x * along_x + y * along_y - t * drift + phase), all in radians.
  struct Grating {
    double along_x;
    double along_y;
    double drift;
    double phase;
    Colour colour;
  };
  static Grating DrawGrating(Scene scene, double direction, double contrast, RandomStream* stream);
  void Add(const Grating& grating, int frame, Canvas* canvas) const;

  Scene scene_ = Scene::kPlain;
  Colour base_ = {};
  std::array<Grating, 2> gratings_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SCENE_BACKGROUND_H_
