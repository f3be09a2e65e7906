// A step of many small kernels as one CUDA graph: recorded once, then replayed by a single call.
//
//   StepGraph graph(device, [&] {
//     for (auto& parameter : parameters) parameter.mutable_grad() = at::Tensor();
//     loss = Loss(clips, labels);                // forward and backward; `clips` is copied into
//     loss.backward();
//   });
//   clips.copy_(batch);                          // before every run
//   graph.Run();
//
// The step must work on the same memory each time, with the same shapes, and must not wait for the
// device (no .item()).  What it allocates belongs to the graph: gradients stay at their addresses and are
// overwritten by the next run, so they must not be cleared outside of the step.  Not thread-safe.
#ifndef OP3D_GPU_STEP_GRAPH_H_
#define OP3D_GPU_STEP_GRAPH_H_

#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>

namespace op3d::gpu {

class StepGraph {
 public:
  // On a GPU the first three runs are plain ones (LibTorch and cuDNN prepare themselves), the fourth is
  // recorded.  The recording has memory of its own: LibTorch's unused memory is given back before it.  On
  // the CPU, without --config=cuda, or if recording fails, every run is a plain one.
  StepGraph(at::Device device, std::function<void()> step);
  ~StepGraph();

  // Runs the step once.  The step's exceptions pass through.
  void Run();

  // True from the recording on.
  bool recorded() const;
  // Why recording failed; empty if it did not.
  const std::string& failure() const { return failure_; }

 private:
  struct Recording;

  at::Device device_;
  std::function<void()> step_;
  int runs_ = 0;
  std::string failure_;
  std::unique_ptr<Recording> recording_;
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_STEP_GRAPH_H_
