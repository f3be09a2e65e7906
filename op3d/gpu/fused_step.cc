#include "op3d/gpu/fused_step.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "op3d/gpu/kernel_runner.h"

namespace op3d::gpu {
namespace {

// A plain value as a tensor of bytes on `device`.
at::Tensor ToDevice(const void* data, size_t size, at::Device device) {
  at::Tensor bytes = at::empty({static_cast<int64_t>(size)}, at::kByte);
  if (size > 0) std::memcpy(bytes.data_ptr(), data, size);
  return device.is_cuda() ? bytes.to(device) : bytes;
}

void CheckTensor(const at::Tensor& tensor, const at::Tensor& weights) {
  if (!tensor.defined()) return;
  TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
                  tensor.numel() == weights.numel() && tensor.device() == weights.device(),
              "a fused step needs float tensors of equal sizes on one device");
}

float* At(const at::Tensor& tensor, int64_t offset) {
  return tensor.defined() ? tensor.data_ptr<float>() + offset : nullptr;
}

}  // namespace

FusedStep::FusedStep(std::vector<FusedTensors> tensors, std::variant<SgdRule, AdamWRule> rule,
                     double clip_norm, double average_decay)
    : tensors_(std::move(tensors)),
      rule_(rule),
      clip_norm_(clip_norm),
      average_share_(static_cast<float>(1 - average_decay)) {
  TORCH_CHECK(!tensors_.empty(), "a fused step needs at least one parameter");
  for (const FusedTensors& one : tensors_) {
    TORCH_CHECK(one.weights.device() == tensors_[0].weights.device(),
                "all parameters of a fused step must be on one device");
    for (const at::Tensor& tensor : {one.weights, one.first, one.second, one.average}) {
      CheckTensor(tensor, one.weights);
    }
  }
  const at::TensorOptions bytes = tensors_[0].weights.options().dtype(at::kByte);
  state_ = at::empty({sizeof(ClipState)}, bytes);
}

void FusedStep::MakeChunks(const std::vector<at::Tensor>& gradients) {
  TORCH_CHECK(gradients.size() == tensors_.size(), gradients.size(), " gradients for ",
              tensors_.size(), " parameters");
  std::vector<const void*> addresses;
  for (size_t i = 0; i < gradients.size(); ++i) {
    CheckTensor(gradients[i], tensors_[i].weights);
    addresses.push_back(gradients[i].const_data_ptr());
  }
  if (addresses == addresses_) return;
  std::vector<ParameterChunk> chunks;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const FusedTensors& one = tensors_[i];
    for (int64_t at = 0; at < one.weights.numel(); at += kChunk) {
      chunks.push_back({At(one.weights, at), At(gradients[i], at), At(one.first, at),
                        At(one.second, at), At(one.average, at),
                        static_cast<int32_t>(std::min<int64_t>(kChunk, one.weights.numel() - at)),
                        static_cast<float>(one.rate_factor)});
    }
  }
  const at::Device device = tensors_[0].weights.device();
  chunk_count_ = static_cast<int64_t>(chunks.size());
  chunks_ = ToDevice(chunks.data(), chunks.size() * sizeof(ParameterChunk), device);
  partial_ = at::empty({chunk_count_}, tensors_[0].weights.options().dtype(at::kDouble));
  addresses_ = std::move(addresses);
}

void FusedStep::Run(const std::vector<at::Tensor>& gradients, const StepValues& values) {
  MakeChunks(gradients);
  const at::Device device = tensors_[0].weights.device();
  const auto* chunks = static_cast<const ParameterChunk*>(chunks_.data_ptr());
  double* const partial = partial_.data_ptr<double>();
  auto* const state = static_cast<ClipState*>(state_.data_ptr());
  RunTiles(SquareSums{chunks, chunk_count_, partial}, device);
  RunTiles(ClipFactor{partial, chunk_count_, clip_norm_, values, state}, device);
  std::visit(
      [&](const auto& rule) {
        using Rule = std::decay_t<decltype(rule)>;
        RunTiles(ChunkUpdate<Rule>{rule, chunks, chunk_count_, values, state, average_share_},
                 device);
      },
      rule_);
}

double FusedStep::Norm() const {
  const at::Tensor bytes = state_.cpu();
  ClipState state;
  std::memcpy(&state, bytes.const_data_ptr(), sizeof(state));
  return state.norm;
}

}  // namespace op3d::gpu
