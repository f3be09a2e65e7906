// A class of synthetic videos: what its videos may be made of.
#ifndef DATA_SYNTHETIC_VIDEO_CLASS_H_
#define DATA_SYNTHETIC_VIDEO_CLASS_H_

#include <string>
#include <vector>

#include "data/synthetic/background.h"
#include "data/synthetic/figure.h"
#include "data/synthetic/motion.h"

namespace op3d {

// Each video takes one entry of each list.
struct VideoClass {
  // Also the name of its folder.
  std::string name;
  // "appearance", "short" (a short clip shows it) or "long" (only a long one does).
  std::string group;
  std::vector<Look> looks;
  std::vector<Scene> scenes;
  // One motion, or two in a row.
  std::vector<std::vector<Motion>> motions;
};

}  // namespace op3d

#endif  // DATA_SYNTHETIC_VIDEO_CLASS_H_
