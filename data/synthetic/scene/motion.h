// How things move in the synthetic videos.
//
//   const Trajectory path = Trajectory::Draw({Motion::kUp, Motion::kDown}, {64, 48, 96}, &stream);
//   const Pose pose = path.At(40);              // where the actor is in frame 40, and how large
//
// Distances are in pixels, times in frames; x points right, y down.
#ifndef OP3D_DATA_SYNTHETIC_SCENE_MOTION_H_
#define OP3D_DATA_SYNTHETIC_SCENE_MOTION_H_

#include <vector>

#include "absl/types/span.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

// What every video of a data set has in common.
struct VideoShape {
  int width = 64;
  int height = 48;
  int frames = 96;
};

enum class Motion {
  // 0.8 to 1.6 pixels a frame.
  kUp,
  kDown,
  kLeft,
  kRight,
  // Left and right: period 5.5-8.5 frames, amplitude 3-6 pixels; or period 13-20, amplitude 5-9.
  // The speeds overlap; only the period tells the two apart.
  kFast,
  kSlow,
  // From 0.55 to 1.45 times the size, or the reverse, repeated every 18-30 frames.
  kGrow,
  kShrink,
};

struct Pose {
  double x = 0.0;
  double y = 0.0;
  // Factor on the size.
  double scale = 1.0;
};

// The path of an actor: one motion after the other, plus a slow wobble of up to 3 pixels.
class Trajectory {
 public:
  // `motions`: one, or two with the change at 35-65 % of the video.  Starts in the middle 40 % of
  // the frame.
  static Trajectory Draw(absl::Span<const Motion> motions, const VideoShape& shape,
                         RandomStream* stream);

  // `frame` in [0, frames).  The result may be outside of the frame: the renderer uses a torus.
  Pose At(int frame) const;
  // The first frame of motion `index`.
  int start(int index) const { return segments_[index].start; }

 private:
  // The random parameters of a motion.
  struct Segment {
    Motion motion;
    // Frames [start, end).
    int start;
    int end;
    // Pixels per frame, amplitude in pixels, period in frames: only those that the motion uses.
    double speed = 0.0;
    double amplitude = 0.0;
    double period = 1.0;
  };
  struct Wobble {
    double amplitude;
    double period;
    double phase;
    double At(int frame) const;
  };
  static Segment DrawSegment(Motion motion, RandomStream* stream);
  static Wobble DrawWobble(RandomStream* stream);
  static void Apply(const Segment& segment, int frame, Pose* pose);

  double x_ = 0.0;
  double y_ = 0.0;
  Wobble wobble_x_;
  Wobble wobble_y_;
  std::vector<Segment> segments_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SCENE_MOTION_H_
