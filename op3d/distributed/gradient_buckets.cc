#include "op3d/distributed/gradient_buckets.h"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

#include "op3d/base/status_macros.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

constexpr int64_t kFirstBucketBytes = int64_t{1} << 20;

}  // namespace

// Tells the buckets that a parameter's gradient is complete.
class GradientBuckets::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientBuckets* buckets, size_t index) : buckets_(buckets), index_(index) {}
  void operator()(const at::Tensor&) override {
    if (buckets_->armed_) buckets_->Take(index_);
  }

 private:
  GradientBuckets* const buckets_;
  const size_t index_;
};

GradientBuckets::GradientBuckets(const NamedTensors& parameters, ProcessGroup* group,
                                 int64_t bucket_bytes)
    : group_(group), places_(parameters.size()), taken_(parameters.size()) {
  c10::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) parameters_.push_back(parameter);
  int64_t bytes = 0;
  std::vector<int64_t> sizes;
  for (size_t i = parameters_.size(); i-- > 0;) {
    const int64_t most =
        buckets_.size() <= 1 ? std::min(kFirstBucketBytes, bucket_bytes) : bucket_bytes;
    if (buckets_.empty() || bytes >= most) {
      buckets_.emplace_back();
      sizes.push_back(0);
      bytes = 0;
    }
    Bucket& bucket = buckets_.back();
    places_[i] = {buckets_.size() - 1, bucket.parameters.size()};
    bucket.parameters.push_back(i);
    bucket.offsets.push_back(sizes.back());
    sizes.back() += parameters_[i].numel();
    bytes += static_cast<int64_t>(parameters_[i].nbytes());
  }
  for (size_t b = 0; b < buckets_.size(); ++b) {
    buckets_[b].flat = at::empty({sizes[b]}, parameters_[0].options().requires_grad(false));
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    torch::autograd::impl::set_post_acc_grad_hooks(parameters_[i], std::make_unique<Hook>(this, i));
  }
}

GradientBuckets::~GradientBuckets() {
  for (const at::Tensor& parameter : parameters_) {
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
  }
}

void GradientBuckets::Arm() {
  armed_ = true;
  next_ = 0;
  status_ = absl::OkStatus();
  taken_.assign(parameters_.size(), false);
  for (Bucket& bucket : buckets_) {
    bucket.missing = static_cast<int64_t>(bucket.parameters.size());
    bucket.sum.reset();
  }
}

void GradientBuckets::Copy(Bucket* bucket, size_t place) {
  c10::NoGradGuard no_grad;
  const at::Tensor& parameter = parameters_[bucket->parameters[place]];
  const at::Tensor slice =
      bucket->flat.narrow(0, bucket->offsets[place], parameter.numel()).view(parameter.sizes());
  if (parameter.grad().defined()) {
    slice.copy_(parameter.grad());
  } else {
    slice.zero_();
  }
}

void GradientBuckets::Take(size_t index) {
  if (taken_[index]) return;
  taken_[index] = true;
  Bucket& bucket = buckets_[places_[index].first];
  Copy(&bucket, places_[index].second);
  if (--bucket.missing == 0) Start();
}

void GradientBuckets::Start() {
  // In the same order on all ranks, whichever gradient came first.
  for (; next_ < buckets_.size() && buckets_[next_].missing == 0 && status_.ok(); ++next_) {
    auto sum = group_->StartAllReduce(buckets_[next_].flat);
    status_ = sum.status();
    if (sum.ok()) buckets_[next_].sum = *std::move(sum);
  }
}

absl::Status GradientBuckets::Finish() {
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    if (!armed_) Arm();
    for (size_t i = parameters_.size(); i-- > 0;) Take(i);
    armed_ = false;
    return status_;
  }));
  for (Bucket& bucket : buckets_) OP3D_RETURN_IF_ERROR(bucket.sum->Wait());
  return CatchTorch([&]() -> absl::Status {
    c10::NoGradGuard no_grad;
    for (Bucket& bucket : buckets_) {
      bucket.flat.div_(group_->size());
      for (size_t place = 0; place < bucket.parameters.size(); ++place) {
        const at::Tensor& parameter = parameters_[bucket.parameters[place]];
        // The optimiser clears its gradients, so the bucket is free again afterwards.
        parameter.mutable_grad() =
            bucket.flat.narrow(0, bucket.offsets[place], parameter.numel()).view(parameter.sizes());
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace op3d
