#include "op3d/gpu/step_graph.h"

#include <c10/util/Exception.h>

#include <utility>

#ifdef OP3D_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace op3d::gpu {

#ifdef OP3D_CUDA

namespace {

constexpr int kPlainRuns = 3;

void WaitFor(const c10::cuda::CUDAStream& waiting, const c10::cuda::CUDAStream& other) {
  at::cuda::CUDAEvent event;
  event.record(other);
  event.block(waiting);
}

}  // namespace

// A graph cannot be recorded on the default stream.
struct StepGraph::Recording {
  explicit Recording(at::Device device)
      : stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false,
                                            device.has_index() ? device.index() : 0)) {}

  // Runs `body` on the own stream, in the order of the current one.
  void OnStream(const std::function<void()>& body) {
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream(stream.device_index());
    WaitFor(stream, current);
    {
      const c10::cuda::CUDAStreamGuard guard(stream);
      body();
    }
    WaitFor(current, stream);
  }

  // The sentence of an error, or empty.
  std::string Record(const std::function<void()>& step) {
    std::string failure;
    bool begun = false;
    try {
      graph.capture_begin();
      begun = true;
      step();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (begun) {
      try {
        graph.capture_end();
      } catch (const std::exception& error) {
        if (failure.empty()) failure = error.what();
      }
    }
    ready = failure.empty();
    return failure;
  }

  c10::cuda::CUDAStream stream;
  at::cuda::CUDAGraph graph;
  bool ready = false;
};

void StepGraph::Run() {
  if (!device_.is_cuda() || !failure_.empty()) return step_();
  if (recording_ == nullptr) recording_ = std::make_unique<Recording>(device_);
  if (recording_->ready) return recording_->graph.replay();
  if (runs_++ < kPlainRuns) return recording_->OnStream(step_);
  recording_->OnStream([this] { failure_ = recording_->Record(step_); });
  // Recording alone computes nothing.
  if (failure_.empty()) return recording_->graph.replay();
  step_();
}

#else

struct StepGraph::Recording {
  bool ready = false;
};

void StepGraph::Run() {
  ++runs_;
  step_();
}

#endif

StepGraph::StepGraph(at::Device device, std::function<void()> step)
    : device_(device), step_(std::move(step)) {}
StepGraph::~StepGraph() = default;

bool StepGraph::recorded() const { return recording_ != nullptr && recording_->ready; }

}  // namespace op3d::gpu
