// Averages the gradients of several processes while the backward pass still runs.
//
//   GradientBuckets buckets(network->Parameters(), group);
//   for (int micro = 0; micro < count; ++micro) {
//     if (micro + 1 == count) buckets.Arm();              // gradients add up until the last one
//     loss.backward();
//   }
//   OP3D_RETURN_IF_ERROR(buckets.Finish());               // every .grad() is the mean over ranks
//
// Parameters are in buckets from the last one to the first, as the backward pass reaches them.  As
// soon as a bucket and those before it are full, its all-reduce starts.  LibTorch's own Reducer is
// not used: it rearranges its buckets after the first step, so that the sums of a resumed training
// would round differently, and it hangs when a rank has nothing to add.
#ifndef OP3D_DISTRIBUTED_GRADIENT_BUCKETS_H_
#define OP3D_DISTRIBUTED_GRADIENT_BUCKETS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "op3d/distributed/process_group.h"
#include "op3d/torch/tensor_file.h"

namespace op3d {

// Not thread-safe.
class GradientBuckets {
 public:
  // `group` and the parameters' owner must outlive it.  The first bucket is small, so that it
  // starts early; the others have about `bucket_bytes`.
  GradientBuckets(const NamedTensors& parameters, ProcessGroup* group,
                  int64_t bucket_bytes = int64_t{25} << 20);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  // The next backward pass completes the gradients.
  void Arm();

  // Waits until all gradients are means over the ranks.  A parameter without a gradient on this
  // rank counts as zero, for example if the rank had no backward pass.  Errors are the group's.
  absl::Status Finish();

  int64_t buckets() const { return static_cast<int64_t>(buckets_.size()); }

 private:
  struct Bucket {
    // Indices of its parameters, and the offset of each in `flat`.
    std::vector<size_t> parameters;
    std::vector<int64_t> offsets;
    at::Tensor flat;
    // The number of parameters whose gradient is still missing.
    int64_t missing = 0;
    std::unique_ptr<ProcessGroup::Pending> sum;
  };
  class Hook;

  // Called when parameter `index` has its gradient.
  void Take(size_t index);
  // Starts the sums of all full buckets, in order.
  void Start();
  void Copy(Bucket* bucket, size_t place);

  ProcessGroup* const group_;
  std::vector<at::Tensor> parameters_;
  std::vector<Bucket> buckets_;
  // For each parameter: its bucket and its position there.
  std::vector<std::pair<size_t, size_t>> places_;
  std::vector<bool> taken_;
  size_t next_ = 0;
  bool armed_ = false;
  absl::Status status_;
};

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_GRADIENT_BUCKETS_H_
