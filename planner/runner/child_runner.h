// Trains states with a command of the user's: any program, in any language, that reads requests
// from its standard input and answers on its standard output, one JSON object per line: EdgeRequest
// and EdgeAnswer of op3d/train/edge.proto in Protobuf's JSON mapping.
//
//   ChildRunnerOptions options;
//   options.command = "python3 my_train.py";
//   ChildRunner runner(options);              // a StateRunner
//
// One child trains one edge: it is started with the edge and ends with it.  Every request is
// complete by itself, so that a lost child can be replaced by a new one:
//
//   {"request": "measure", "epoch": 0, ...}   score the starting weights in this state
//   {"request": "train", "epoch": 3, ...}     train epoch 3 and score it; epoch 2's weights are
//                                             in "folder" (before epoch 1: the starting weights)
//   {"request": "keep", "epoch": 2, ...}      stop: keep epoch 2's weights as the edge's result and
//                                             remove the others; 0 = remove all
//   {"request": "estimate", "epoch": 100, ...}  in a dry run: what would this edge cost if it were
//                                             trained for 100 epochs?  The child must write
//                                             nothing, and there is no "folder".  A child need
//                                             not support it
//
// each with
//   "protocol": 1, "edge": "S1-S2",
//   "state": {"name", "segments", "frames_per_segment", "stride", "learning_rate", "batch_size",
//             "accumulation", "frozen_batch_norm", "crop" (0 = as in all states)}; in states whose
//             learning rate changes also "schedule": {"one_minus_sqrt": {"final_learning_rate": 0}}
//             or another kind of ScheduleSettings (op3d/train/settings/state.proto), over
//             the edge's "epochs"
//   "epochs": for edges of a fixed length (wide graphs) the number of epochs of the edge
//   "source": the folder of the edge from whose kept weights to start; "" = the initial weights
//   "folder": where this edge's weights go; the planner creates it, and removes it with everything
//             in it when no edge can start from it and no final state's best weights are in it
//             (unless --keep_all_weights): a child must store other things elsewhere
//
// and the answers
//   {"epoch": 3, "performance": 0.61}         to measure and train; may also have "top1", "top3",
//                                             "top5", "loss", and "chance": the performance of
//                                             guessing, which is used to detect a collapse.  For an
//                                             edge of a fixed length only the last epoch's
//                                             performance counts; earlier, "unmeasured": true saves
//                                             a measurement ("performance" is then 0)
//   {"epoch": 2}                              to keep
//   {"epoch": 100, "clips": 228500, "train_seconds": 900.5, "measure_seconds": 60,
//    "memory_bytes": 1, "training_bytes": 1, "kept_bytes": 1}
//                                             to estimate: the clips and seconds of an epoch, the
//                                             seconds of a measurement, the child's memory, the
//                                             largest size of the edge's folder and its final
//                                             size.  They should come from a short measurement.
//   {"error": "the loss is nan", "failed": true}
//                                             this edge's training has failed and would fail again:
//                                             the search continues without the edge.  A performance
//                                             of NaN, Infinity, null or below 0 means the same, and
//                                             so does a "loss" of an epoch that is not finite
//   {"error": "out of memory"}                gives up: ends the search with that message; the next
//                                             `plan resume` asks again
//
// An answer may also hold "protocol": 1, and is refused if that is another one than the request's.
// A line that does not begin with '{' is copied to standard error; an empty line is dropped.  The
// weights of an epoch must be on disk before it is answered.  An answered request may come again
// and must get an equal answer.  A child exits at the end of its input.  With --jobs several
// children run at once; `{job}` in the command or the launcher is replaced by the child's number,
// from 0, so that each can have its own device: 'CUDA_VISIBLE_DEVICES={job} python3 my_train.py'.
// `planner/example/train.py` is an example in plain Python; the package in planner/python
// implements the protocol for Python programs.
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
  // A command for /bin/sh.
  std::string command;
  // A prefix, "srun --gres=gpu:4", that starts the command elsewhere and forwards its lines.
  std::string launcher;
  // The folder in which the command is started.
  std::string folder = ".";
  // The timeout for one answer: an epoch's training and scoring.
  absl::Duration answer_timeout = absl::Hours(24);
  // How often a request is repeated with a new child after a child was lost (it ended, or was
  // silent for longer than the timeout).  At least 0.
  int retries = 2;
  // The child also trains this runner's next edges; otherwise it ends with its edge.  For children
  // that are slow to start.
  bool keep_child = false;
  // A child that was stopped by SIGTERM after at least this time does not count as a retry: it has
  // saved its progress, and a busy scheduler may stop a long epoch any number of times.
  absl::Duration progress = absl::Minutes(1);
};

// Errors: Unavailable or DeadlineExceeded when the retries are used up; FailedPrecondition for a
// missing folder of weights; InvalidArgument for an invalid answer or a performance that
// is missing or not a number; Aborted with the child's own message; Cancelled on a signal.  Marked
// as a training failure (op3d/base/training_failure.h): a performance or a loss that is not finite,
// a negative performance, and a child's error with "failed".
class ChildRunner : public StateRunner {
 public:
  explicit ChildRunner(const ChildRunnerOptions& options) : options_(options) {}

  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override;
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override;
  absl::Status Finish(const EdgeTask& task, int epoch) override;
  // Ends the child.
  absl::Status Abandon(const EdgeTask& task) override;
  double Chance() const override { return chance_; }

  // The cost of the edge if trained for `epochs` epochs; creates no folder and asks only once.
  // Other errors if the child does not support the request: its answer, or that it ended.
  absl::StatusOr<EdgeCost> Estimate(const EdgeTask& task, int epochs);

 private:
  absl::StatusOr<CurvePoint> ParseAnswer(const std::string& line, int epoch,
                                         absl::string_view request);
  // Asks, and repeats if necessary.
  absl::StatusOr<CurvePoint> Ask(const EdgeTask& task, absl::string_view request, int epoch);
  // Asks once; starts a child if there is none.
  absl::StatusOr<std::string> AskOnce(const std::string& line);

  const ChildRunnerOptions options_;
  std::unique_ptr<ChildProcess> child_;
  // From the last answer; 0 = unknown.
  double chance_ = 0;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_CHILD_RUNNER_H_
