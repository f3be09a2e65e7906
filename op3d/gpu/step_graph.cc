#include "op3d/gpu/step_graph.h"

#include <c10/util/Exception.h>

#include <map>
#include <utility>

#ifdef OP3D_CUDA
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
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

// The message of what `body` throws, or empty.
template <typename Body>
std::string ErrorOf(const Body& body) {
  try {
    body();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

// A graph cannot be recorded on the default stream.  LibTorch keeps free memory and workspaces for each
// stream, so all graphs of a thread share one.
c10::cuda::CUDAStream RecordingStream(c10::DeviceIndex device) {
  thread_local std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  const auto known = streams.find(device);
  if (known != streams.end()) return known->second;
  return streams.emplace(device, c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device))
      .first->second;
}

}  // namespace

struct StepGraph::Recording {
  explicit Recording(at::Device device)
      : stream(RecordingStream(device.has_index() ? device.index() : 0)),
        pool(at::cuda::graph_pool_handle()) {}

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
    std::string failure = ErrorOf([] {
      // What the plain runs left: a recording cannot free memory.
      c10::cuda::device_synchronize();
      c10::cuda::CUDACachingAllocator::emptyCache();
    });
    if (!failure.empty()) return failure;
    failure = ErrorOf([&] {
      // Other threads may use the device meanwhile.
      graph.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
      step();
    });
    const std::string ending = ErrorOf([this] { graph.capture_end(); });
    if (failure.empty()) failure = ending;
    ready = failure.empty();
    if (!ready) GiveUp();
    return failure;
  }

  // Lets the allocator end what an unfinished recording began.
  void GiveUp() {
    // pool() is an error if the recording did not end; reset() then forgets to release the pool.
    const bool ended = ErrorOf([this] { graph.pool(); }).empty();
    ErrorOf([this] { graph.reset(); });
    if (ended) return;
    const c10::DeviceIndex device = stream.device_index();
    ErrorOf([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool); });
    ErrorOf([&] { c10::cuda::CUDACachingAllocator::releasePool(device, pool); });
    // The allocator of page-locked memory, too.
    ErrorOf([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool); });
    ErrorOf([&] { at::getHostAllocator(at::kCUDA)->release_pool(pool); });
  }

  c10::cuda::CUDAStream stream;
  const c10::MempoolId_t pool;
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
