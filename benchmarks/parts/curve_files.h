// The curves of a benchmark run for TensorBoard (tensorboard --logdir=RUN/tensorboard).
//
//   CurveFiles curves(JoinPath(run, "tensorboard"));
//   curves.Add("search/cs/S1-S2", {/*step=*/3, {{"search/loss", 2.25}}});
//   curves.Complete("search/cs/S1-S2", points);
//
// A curve is one of TensorBoard's runs, named by its folder; curves with the same tags share a
// chart, and TensorBoard's filter can select the folders above them.  Torch-free.
#ifndef OP3D_BENCHMARKS_PARTS_CURVE_FILES_H_
#define OP3D_BENCHMARKS_PARTS_CURVE_FILES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "op3d/train/log/event_file.h"

namespace op3d::benchmarks {

// Thread-safe.  Errors are ignored: a full or read-only disk does not stop a run because of its
// charts.
class CurveFiles {
 public:
  using Scalars = std::vector<std::pair<std::string, double>>;
  struct Point {
    int64_t step = 0;
    Scalars scalars;
  };

  // Creates nothing before the first point.
  explicit CurveFiles(const std::string& folder) : folder_(folder) {}

  // Adds the next point of a curve.  The first point in a process makes earlier processes' points
  // from this step on void.
  void Add(const std::string& curve, const Point& point);

  // The curve is finished and consists of `points`; it is written again if this process has not
  // added all of them.
  void Complete(const std::string& curve, const std::vector<Point>& points);

 private:
  struct Curve {
    std::unique_ptr<EventFile> file;
    size_t points = 0;
  };
  // Null if it cannot be created.
  EventFile* Open(const std::string& name, int64_t first_step, Curve* curve) const;

  const std::string folder_;
  absl::Mutex mutex_;
  std::map<std::string, Curve> curves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_CURVE_FILES_H_
