#include "op3d/gpu/check/timing.h"

#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "op3d/base/status_macros.h"
#include "op3d/torch/torch_status.h"

namespace op3d::gpu {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void Wait(at::Device device) {
  if (device.is_cuda()) c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeDevice(0);
}

absl::StatusOr<double> SecondsOf(at::Device device, const std::function<absl::Status()>& body) {
  Wait(device);
  const Clock::time_point start = Clock::now();
  OP3D_RETURN_IF_ERROR(body());
  Wait(device);
  return SecondsSince(start);
}

}  // namespace

absl::StatusOr<Timing> TimeRuns(at::Device device, int warm_up,
                                const std::function<absl::Status()>& body) {
  constexpr int kTimed = 5;
  constexpr double kEnough = 3;
  Timing timing;
  for (int i = 0; i < (device.is_cuda() ? warm_up : 0); ++i) {
    OP3D_ASSIGN_OR_RETURN(const double seconds, SecondsOf(device, body));
    timing.warm_up_seconds += seconds;
  }
  ForgetPeak(device);
  double spent = 0;
  for (int i = 0; i < kTimed && spent < kEnough; ++i) {
    OP3D_ASSIGN_OR_RETURN(const double seconds, SecondsOf(device, body));
    spent += seconds;
    timing.seconds = i == 0 ? seconds : std::min(timing.seconds, seconds);
  }
  return timing;
}

Memory MemoryOf(at::Device device) {
  if (!device.is_cuda()) return {};
  const auto stats = at::getDeviceAllocator(at::kCUDA)->getDeviceStats(0);
  const auto number = [](int64_t bytes) { return static_cast<double>(bytes); };
  return {number(stats.allocated_bytes[0].peak), number(stats.reserved_bytes[0].peak),
          number(stats.reserved_bytes[0].current)};
}

void ForgetPeak(at::Device device) {
  if (!device.is_cuda()) return;
  at::getDeviceAllocator(at::kCUDA)->emptyCache();
  at::getDeviceAllocator(at::kCUDA)->resetPeakStats(0);
}

absl::StatusOr<ProductSpeed> MeasureProduct(at::Device device, int side, at::ScalarType type) {
  constexpr double kWarmUp = 0.5, kMeasured = 1.5, kChunk = 0.02;
  const double share = device.is_cuda() ? 1 : 0.1;
  const auto make = [&] {
    return at::randn({side, side}, at::TensorOptions(at::kFloat).device(device)).to(type);
  };
  ProductSpeed speed;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    const at::Tensor a = make(), b = make();
    at::Tensor product = at::empty_like(a);
    // Many at once: starting one and waiting for it takes time, too.
    int count = 1;
    const auto chunk = [&]() -> absl::Status {
      for (int i = 0; i < count; ++i) at::mm_out(product, a, b);
      return absl::OkStatus();
    };
    for (double spent = 0; spent < kWarmUp * share;) {
      OP3D_ASSIGN_OR_RETURN(const double seconds, SecondsOf(device, chunk));
      spent += seconds;
      if (seconds < kChunk && count < 1024) count *= 2;
    }
    std::vector<double> rates;
    for (double spent = 0; spent < kMeasured * share;) {
      OP3D_ASSIGN_OR_RETURN(const double seconds, SecondsOf(device, chunk));
      spent += seconds;
      rates.push_back(2.0 * side * side * side * count / seconds / 1e12);
    }
    std::sort(rates.begin(), rates.end());
    speed = {rates[rates.size() / 2], rates.back()};
    return absl::OkStatus();
  }));
  return speed;
}

}  // namespace op3d::gpu
