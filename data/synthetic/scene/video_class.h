// A class of synthetic videos: what its videos consist of; and the style of a whole data set.
#ifndef OP3D_DATA_SYNTHETIC_SCENE_VIDEO_CLASS_H_
#define OP3D_DATA_SYNTHETIC_SCENE_VIDEO_CLASS_H_

#include <string>
#include <vector>

#include "data/synthetic/scene/background.h"
#include "data/synthetic/scene/figure.h"
#include "data/synthetic/scene/motion.h"

namespace op3d::data {

// Each video takes one entry of each list.
struct VideoClass {
  // The name in the data set's lists.
  std::string name;
  // "appearance", "short" (a short clip shows it) or "long" (only a long one does).
  std::string group;
  std::vector<Look> looks;
  std::vector<Scene> scenes;
  // One motion, or two in a row.
  std::vector<std::vector<Motion>> motions;
};

// How difficult the videos of a data set are.
struct VideoStyle {
  // Factors on the amplitude of the background's waves and on the noise.
  double contrast = 1.0;
  double noise = 1.0;
  // The actor is only visible in one span, whose length is between these shares of the frames.
  double min_presence = 1.0;
  double max_presence = 1.0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SCENE_VIDEO_CLASS_H_
