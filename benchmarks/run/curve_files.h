// The curves of a benchmark run for TensorBoard (tensorboard --logdir=RUN/tensorboard).
//
//   CurveFiles curves(JoinPath(run, "tensorboard"));
//   curves.Add("search/cs/S1-S2", {/*step=*/3, {{"search/loss", 2.25}}});
//   curves.Complete("search/cs/S1-S2", points);
//
// A curve is one of TensorBoard's runs, named by its folder; curves with the same tags share a
// chart, and the folders above them are the groups that its filter takes.  Torch-free.
#ifndef OP3D_BENCHMARKS_RUN_CURVE_FILES_H_
#define OP3D_BENCHMARKS_RUN_CURVE_FILES_H_

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

// Thread-safe.  A disk that is full or cannot be written to does not stop a run for its charts.
class CurveFiles {
 public:
  using Scalars = std::vector<std::pair<std::string, double>>;
  struct Point {
    int64_t step = 0;
    Scalars scalars;
  };

  // Nothing is made before the first point.
  explicit CurveFiles(const std::string& folder) : folder_(folder) {}

  // The next point of a curve.  The first one in a process voids what earlier ones wrote from this
  // step on.
  void Add(const std::string& curve, const Point& point);

  // The curve has come to its end and is all of `points`: written again where this process has not
  // seen all of them.
  void Complete(const std::string& curve, const std::vector<Point>& points);

 private:
  struct Curve {
    std::unique_ptr<EventFile> file;
    size_t points = 0;
  };
  // Null where it cannot be made.
  EventFile* Open(const std::string& name, int64_t first_step, Curve* curve) const;

  const std::string folder_;
  absl::Mutex mutex_;
  std::map<std::string, Curve> curves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_CURVE_FILES_H_
