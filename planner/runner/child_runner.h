// Trains states by a command of the user's: any program, in any language, that reads requests from
// its standard input and answers on its standard output, a JSON object a line: EdgeRequest and
// EdgeAnswer of op3d/train/edge.proto in Protobuf's JSON mapping.
//
//   ChildRunnerOptions options;
//   options.command = "python3 my_train.py";
//   ChildRunner runner(options);              // a StateRunner
//
// One child trains one edge: it is started with the edge and ends with it.  Every request stands
// for itself, so that a child that is lost can be replaced by a new one:
//
//   {"request": "measure", "epoch": 0, ...}   score the starting weights in this state
//   {"request": "train", "epoch": 3, ...}     train epoch 3 and score; epoch 2's weights are kept
//                                             under "folder", before epoch 1 the starting ones
//   {"request": "keep", "epoch": 2, ...}      stop: keep epoch 2's weights as the edge's result and
//                                             drop the others; 0 = drop all
//   {"request": "estimate", "epoch": 100, ...}  of a dry run: what would this edge take if it went
//                                             to epoch 100?  Nothing is to be written, and there is
//                                             no "folder".  A child need not know it
//
// each with
//   "protocol": 1, "edge": "S1-S2",
//   "state": {"name", "segments", "frames_per_segment", "stride", "learning_rate", "batch_size",
//             "accumulation", "frozen_batch_norm", "crop" (0 = as in all states)}; in states whose
//             learning rate changes also "schedule": {"one_minus_sqrt": {"final_learning_rate": 0}} or another kind of
//             ScheduleSettings (op3d/train/settings/state.proto), over the edge's "epochs"
//   "epochs": of edges of a given length (wide graphs) how many epochs the edge will be trained for
//   "source": the folder of the edge whose kept weights to start from; "" = the initial weights
//   "folder": where this edge's weights go; the planner makes it, and removes it with all that is
//             in it when no edge can start from it any more and no final state's best weights are
//             in it (unless --keep_all_weights): what a child wants to keep lies elsewhere
//
// and the answers
//   {"epoch": 3, "performance": 0.61}         to measure and train; may also hold "top1", "top3",
//                                             "top5", "loss", and "chance": the performance of
//                                             guessing, by which a collapse is told.  Of an edge
//                                             of given length the last epoch's performance alone
//                                             counts; before, "unmeasured": true saves a measurement
//                                             ("performance" is then 0)
//   {"epoch": 2}                              to keep
//   {"epoch": 100, "clips": 228500, "train_seconds": 900.5, "measure_seconds": 60,
//    "memory_bytes": 1, "training_bytes": 1, "kept_bytes": 1}
//                                             to estimate: the clips and seconds of an epoch, the
//                                             seconds of a measurement, the child's memory, the
//                                             disk of the edge's folder at its largest and of what
//                                             is kept.  They should come from a short probe.
//   {"error": "the loss is nan", "failed": true}
//                                             this edge's training has failed and would fail again:
//                                             the search goes on without the edge.  A performance
//                                             of NaN, Infinity, null or below 0 says the same, and
//                                             so does a "loss" of an epoch that is not finite
//   {"error": "out of memory"}                gives up: ends the search with that message; the next
//                                             `plan resume` asks again
//
// A line that does not begin with '{' is passed on to standard error.  The weights of an epoch must
// be on disk before it is answered; a request may come again after it was answered and must then
// give an equal answer.  At the end of its input a child ends.  Several children run at once with
// --jobs; `{job}` in the command or the launcher stands for the child's number from 0, so that each
// can have a device of its own: 'CUDA_VISIBLE_DEVICES={job} python3 my_train.py'.
// `planner/example/train.py` is one in plain Python.
#ifndef OP3D_PLANNER_RUNNER_CHILD_RUNNER_H_
#define OP3D_PLANNER_RUNNER_CHILD_RUNNER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "op3d/train/edge.pb.h"
#include "planner/runner/child_process.h"
#include "planner/search/search.h"

namespace op3d::planner {

struct ChildRunnerOptions {
  // For /bin/sh.
  std::string command;
  // In front of it, "srun --gres=gpu:4": starts the command elsewhere and forwards its lines.
  std::string launcher;
  // Where the command is started.
  std::string folder = ".";
  // For one answer: an epoch's training and scoring.
  absl::Duration answer_timeout = absl::Hours(24);
  // How often one request is asked again of a new child after a child was lost (ended, or silent
  // for longer than the timeout).  At least 0.
  int retries = 2;
};

// Errors: Unavailable or DeadlineExceeded when the retries are used up; FailedPrecondition for a
// folder of weights that is gone; InvalidArgument for an answer that is none or a performance that
// is missing or no number; Aborted with the child's own message; Cancelled on a signal.  Marked as
// a training's failure (op3d/base/training_failure.h): a performance or a loss that is not finite,
// a negative performance, and a child's error that says "failed".
class ChildRunner : public StateRunner {
 public:
  explicit ChildRunner(const ChildRunnerOptions& options) : options_(options) {}

  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override;
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override;
  absl::Status Finish(const EdgeTask& task, int epoch) override;
  // Ends the child.
  absl::Status Abandon(const EdgeTask& task) override;
  double Chance() const override { return chance_; }

  // What the edge would take that goes to `epochs` epochs; makes no folder and asks once.  Other
  // errors where the child does not know the request: what it answered, or that it ended.
  absl::StatusOr<EdgeCost> Estimate(const EdgeTask& task, int epochs);

 private:
  absl::StatusOr<CurvePoint> ParseAnswer(const std::string& line, int epoch,
                                         absl::string_view request);
  // Asks, again if need be.
  absl::StatusOr<CurvePoint> Ask(const EdgeTask& task, absl::string_view request, int epoch);
  // Asks once; starts a child if there is none.
  absl::StatusOr<std::string> AskOnce(const std::string& line);

  const ChildRunnerOptions options_;
  std::unique_ptr<ChildProcess> child_;
  // Of the last answer; 0 = it did not say.
  double chance_ = 0;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_CHILD_RUNNER_H_
