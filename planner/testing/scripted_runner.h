// A StateRunner for tests: its "measurements" are a function of edge and epoch.
#ifndef OP3D_PLANNER_TESTING_SCRIPTED_RUNNER_H_
#define OP3D_PLANNER_TESTING_SCRIPTED_RUNNER_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/transition_graph.h"
#include "planner/search/search.h"

namespace op3d::planner {

class ScriptedRunner : public StateRunner {
 public:
  using Script = std::function<double(const EdgeTask&, int epoch)>;
  struct Finished {
    std::string folder;
    std::string source_folder;
    int epoch;
  };

  explicit ScriptedRunner(Script script) : script_(std::move(script)) {}

  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override {
    ++measured;
    return Point(task, 0);
  }
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override {
    ++trained;
    return Point(task, epoch);
  }
  absl::Status Finish(const EdgeTask& task, int epoch) override {
    finished.push_back({task.folder(), task.source(), epoch});
    return absl::OkStatus();
  }

  // Calls so far.
  int measured = 0;
  int trained = 0;
  std::vector<Finished> finished;

 private:
  CurvePoint Point(const EdgeTask& task, int epoch) const {
    CurvePoint point;
    point.set_epoch(epoch);
    point.set_performance(script_(task, epoch));
    return point;
  }

  const Script script_;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_TESTING_SCRIPTED_RUNNER_H_
