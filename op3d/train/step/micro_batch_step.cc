#include "op3d/train/step/micro_batch_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_zero.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

#include <stdexcept>

#include "op3d/base/status_macros.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

bool Fits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type();
}

}  // namespace

MicroBatchStep::MicroBatchStep(const MicroBatchLossOptions& options, double loss_factor,
                               bool recorded, Network* network)
    : options_(options), loss_factor_(loss_factor), network_(network), recorded_(recorded) {}

absl::Status MicroBatchStep::Compute(const MicroBatch& batch) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network_->Forward(batch.clips));
  const at::Tensor loss = TrainingLoss(heads, batch.labels);
  at::Tensor scaled = loss * loss_factor_;
  if (loss_scale_.defined()) scaled = scaled * loss_scale_;
  scaled.backward();
  // The graph of autograd ends here: it would keep the masks and the gradients' nodes.
  loss_ = loss.detach();
  return absl::OkStatus();
}

void MicroBatchStep::SetLossScale(double factor) {
  c10::NoGradGuard no_grad;
  if (!loss_scale_.defined()) {
    loss_scale_ = at::empty({}, at::TensorOptions(at::kFloat).device(network_->device()));
  }
  loss_scale_.fill_(factor);
}

absl::StatusOr<at::Tensor> MicroBatchStep::Run(const MicroBatchPlace& place,
                                               const MicroBatch& batch) {
  network_->SeedDropout(DropoutSeed(options_, place));
  OP3D_RETURN_IF_ERROR(recorded_ ? RunRecorded(batch) : Compute(batch));
  return loss_;
}

absl::Status MicroBatchStep::RunRecorded(const MicroBatch& batch) {
  KeepGradients();
  if (graph_ != nullptr &&
      !(Fits(batch.clips, fixed_.clips) && Fits(batch.labels, fixed_.labels))) {
    // Its memory is needed for the plain step.
    graph_.reset();
    fixed_ = MicroBatch();
    loss_ = at::Tensor();
    // Recording takes longer than some plain steps.
    constexpr int kMostDrops = 3;
    recorded_ = ++drops_ < kMostDrops;
    return Compute(batch);
  }
  if (graph_ == nullptr) {
    fixed_ = {at::empty_like(batch.clips), at::empty_like(batch.labels)};
    graph_ = std::make_unique<gpu::StepGraph>(network_->device(), [this] {
      status_ = Compute(fixed_);
      // A recording of half a step must not count as one.
      if (!status_.ok()) throw std::runtime_error(std::string(status_.message()));
    });
  }
  fixed_.clips.copy_(batch.clips);
  fixed_.labels.copy_(batch.labels);
  status_ = absl::OkStatus();
  const absl::Status ran = CatchTorch([this] {
    graph_->Run();
    return absl::OkStatus();
  });
  OP3D_RETURN_IF_ERROR(status_);
  OP3D_RETURN_IF_ERROR(ran);
  if (!graph_->failure().empty()) {
    failure_ = graph_->failure();
    recorded_ = false;
    graph_.reset();
    fixed_ = MicroBatch();
  }
  return absl::OkStatus();
}

void MicroBatchStep::KeepGradients() {
  c10::NoGradGuard no_grad;
  if (gradients_.empty()) {
    for (const auto& [name, parameter] : network_->Parameters()) {
      gradients_.push_back(at::empty_like(parameter));
    }
  }
  std::vector<at::Tensor> cleared;
  for (size_t i = 0; i < gradients_.size(); ++i) {
    at::Tensor& gradient = network_->Parameters()[i].second.mutable_grad();
    if (gradient.defined() && gradient.is_same(gradients_[i])) continue;
    if (gradient.defined()) {
      gradients_[i].copy_(gradient);  // a checkpoint's, from the middle of a step
    } else {
      cleared.push_back(gradients_[i]);
    }
    gradient = gradients_[i];
  }
  if (!cleared.empty()) at::_foreach_zero_(cleared);
}

}  // namespace op3d
