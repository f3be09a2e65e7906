// Formats figures for people, the same in tables, reports and pictures.
#ifndef OP3D_RESULTS_RECORD_FORMAT_H_
#define OP3D_RESULTS_RECORD_FORMAT_H_

#include <cstdint>
#include <string>

#include "planner/graphs/plan.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::results {

// A share in [0, 1] as percent without the sign: 0.9315 -> "93.2" with one decimal.
std::string FormatPercent(double share, int decimals = 1);
// A difference of shares in points, with its sign: 0.0704 -> "+7.0".
std::string FormatPoints(double difference, int decimals = 1);
// 1234567 -> "1,234,567".
std::string FormatCount(int64_t count);
// The shortest text that gives `value` back within 12 digits: 0.04, 4e-05.
std::string FormatNumber(double value);
// The clip of a state: "16 frames", "4 x 4 frames", "16 frames of 40 px" if it has its own crop.
std::string FormatClip(const StateSettings& state);
// The learning rate in a state: "0.04", "0.04, falling to 0", "0.04, in steps".
std::string FormatLearningRate(const StateSettings& state);
// "32@0.04x20, 64@0.02x8": frames @ learning rate x epochs for each step.
std::string FormatPlan(const Plan& plan);
// Frames of one clip of the state.
int64_t ClipLength(const StateSettings& state);
// "miniature", "full".
std::string ScaleName(BenchmarkSettings::Scale scale);
// "Kinetics-400" for "kinetics400"; an unknown benchmark's own name.
std::string BenchmarkTitle(const std::string& benchmark);
// A user's own data keeps its name: "ucf101" may be a part of UCF101.
std::string BenchmarkTitle(const std::string& benchmark, BenchmarkSettings::Scale scale);
// "miniature scale", "full scale", "own data".
std::string ScaleText(BenchmarkSettings::Scale scale);
// The dataset's official split that a run used, from 1; 0 if the dataset has only one.
int OfficialSplit(const DatasetSettings& dataset);
// " split 2"; nothing for 0.
std::string SplitText(int split);
// "1 epoch", "2 epochs".
std::string FormatEpochs(int64_t epochs);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_FORMAT_H_
