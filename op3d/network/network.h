// A video network: clips in, the logits of its heads out.  The entry point of this package.
//
//   OP3D_ASSIGN_OR_RETURN(auto network, Network::Make({"dg_p3d_resnet50", 400, 0.5}, /*seed=*/1));
//   OP3D_RETURN_IF_ERROR(network->LoadWeights("weights.safetensors"));
//   network->SetTraining(false);
//   OP3D_ASSIGN_OR_RETURN(std::vector<at::Tensor> heads, network->Forward(clips));
//
// Clips are [N, 3, T, H, W] floats, RGB in [0, 1] after subtracting (0.485, 0.456, 0.406) and
// dividing by (0.229, 0.224, 0.225).  op3d/network/README.md has a drawing of the network.
#ifndef OP3D_NETWORK_NETWORK_H_
#define OP3D_NETWORK_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/network/definition/definition.h"
#include "op3d/network/weights/weights_import.h"
#include "op3d/torch/precision.h"
#include "op3d/torch/tensor_file.h"

namespace op3d {

struct NetworkOptions {
  // One of NetworkNames(): "dg_p3d_resnet50", "lgd_p3d_resnet50", "s3dg" ...
  std::string name;
  // Number of classes, the length of the logits; at least 1.
  int64_t classes = 0;
  // Share of the features that dropout sets to zero before each classifier in training, [0, 1).
  double dropout = 0;
  // Each at least 1; 0 = the network's own.  The planes of layer1 (64; a multiple of 8); the
  // temporal kernel and stride of the first convolution (4); those of the pool before DG-P3D's
  // spatial head (4).  S3D has none of the three.
  int64_t width = 0;
  int64_t early_stride = 0;
  int64_t dual_pool = 0;
  // Ablations of DG-P3D; not both heads at once.
  bool without_temporal_head = false;
  bool without_spatial_head = false;
  bool without_global_context = false;
};

// All valid names of NetworkOptions, sorted.
std::vector<std::string> NetworkNames();

// The layers of the network that the options describe.  InvalidArgument, naming it, for an unknown
// name or a number outside its range.
absl::StatusOr<NetworkDefinition> Define(const NetworkOptions& options);

// InvalidArgument if a clip of `size` frames x height x width is too small for the network.
absl::Status CheckClipSize(const NetworkDefinition& definition, const Size3& size);

// InvalidArgument if Forward cannot use `clips`: because of their shape, or a type or device other
// than `weight`'s.
absl::Status CheckClips(const NetworkDefinition& definition, const at::Tensor& clips,
                        const at::Tensor& weight);

// Gets the features inside a network: the part's name in the state dict's style ("layer3.5",
// "pool_dual") and its output [N, C, T, H, W] ([N, C] after the global pools), valid during the
// call only.
using FeatureObserver = std::function<void(const std::string& name, const at::Tensor& feature)>;

// Not thread-safe, with one exception: between changes, Forward in evaluation mode may run in
// several threads at once.  Different networks share nothing.
class Network {
 public:
  // A network with random initial values, in training mode, float32, on the CPU.  The values depend
  // only on `seed` and the parameters' names: convolutions Kaiming normal (fan-out, ReLU),
  // BatchNorm 1 and 0, fully connected layers uniform in +-1/sqrt(fan-in), the context's last
  // weights 0.  InvalidArgument for an unknown name, classes < 1 or dropout outside [0, 1).
  static absl::StatusOr<std::unique_ptr<Network>> Make(const NetworkOptions& options,
                                                       uint64_t seed);
  // The same with all values 0, for callers that set all of them: random initial values
  // of a large network take seconds.
  static absl::StatusOr<std::unique_ptr<Network>> MakeUnfilled(const NetworkOptions& options);
  ~Network();

  const NetworkOptions& options() const;

  // Logits [N, classes] of each head: DG-P3D's temporal and spatial one; LGD's local one and, in
  // training, its global one; other networks have one.  The training loss is the sum over the heads
  // returned in training, a video's score the mean of the heads returned in evaluation.  Records
  // gradients unless the caller holds an at::NoGradGuard.  `clips` must have the network's type and
  // device.
  //
  // InvalidArgument for a shape other than [N, 3, T, H, W]; for T below the network's minimum
  // (early stride x dual pool = 16 for DG-P3D, early stride = 4 for its peers, 1 for S3D;
  // remainders are dropped: 22 frames work like 20); for H or W below 1 (17 for S3D); and for
  // training with a single value per channel (one tiny clip).  ResourceExhausted without memory;
  // Internal for other errors of LibTorch.
  absl::StatusOr<std::vector<at::Tensor>> Forward(const at::Tensor& clips,
                                                  const FeatureObserver& observer = nullptr);

  // Training: BatchNorm uses and updates batch statistics (momentum 0.1), dropout is on.
  void SetTraining(bool training);
  bool training() const;

  // Frozen: every BatchNorm except the one named `bn1` uses its running statistics even in
  // training; weights and biases are still trained.
  void SetFrozenBatchNorm(bool frozen);

  // The next Forward's dropout masks depend only on `seed`, on every machine and device.
  void SeedDropout(uint64_t seed);

  // The trained tensors with their names in checkpoints, in the order of the definition.
  // They share memory with the network and require gradients.
  const NamedTensors& Parameters() const;
  int64_t CountParameters() const;

  // Parameters and buffers in the order of the definition; they share memory with the network.  A
  // frozen layer has no `num_batches_tracked`.  S3D's trunk is included under both of its names.
  NamedTensors StateDict() const;

  // Copies the values in; any floating type.  All names may have the prefix `module.`.  All or
  // nothing: InvalidArgument lists what is missing, unexpected or of another shape (with both
  // shapes).  Only `num_batches_tracked` may be missing, and one of two names of a tensor.
  absl::Status LoadStateDict(const NamedTensors& tensors);

  // StateDict as a safetensors file, written atomically.
  absl::Status SaveWeights(const std::string& path,
                           const std::map<std::string, std::string>& metadata = {}) const;

  // Loads all of the network's weights from a file of any format that
  // op3d/network/weights/checkpoint.h reads; WeightsOf finds them in it.  All or nothing, with the
  // errors of both and of LoadStateDict.
  absl::Status LoadWeights(const std::string& path);

  // Loads the weights from which a training starts: weights of this network, of the same one for
  // other classes (the classifiers keep their initial values), or of a 2-D ResNet, inflated (the
  // context keeps its initial values too).  Reports what happened to each name.  All or nothing;
  // errors of ImportWeights and CheckStart.
  absl::StatusOr<ImportReport> StartFrom(const std::string& path);

  // The arithmetic of Forward, with clips and logits in the parameters' type: float64 for fp64
  // (parameters are converted to it), float32 for the others.  Logits of bf16 are within 15 % of
  // their root mean square of fp32's, those of fp16 within 2 %.  On a CUDA device fp32 and tf32 set
  // LibTorch's process-wide switch.  InvalidArgument for tf32 on a CPU; fp16 works there, slowly.
  absl::Status SetPrecision(Precision precision);
  Precision precision() const;

  // Activation checkpointing in training: residual and inception blocks keep only their input and
  // are computed a second time in the backward pass.  Less memory, more time, the same bits.  The
  // network must outlive the backward pass.
  void SetRecompute(bool recompute);

  // Converts parameters and buffers.  The tensors of Parameters() follow; gradients are lost.
  absl::Status To(at::ScalarType type);
  // "cpu", "cuda" or "cuda:1".  InvalidArgument for another word, FailedPrecondition if there is
  // no such device.
  absl::Status ToDevice(const std::string& device);
  at::Device device() const;

 private:
  struct State;
  explicit Network(std::unique_ptr<State> state);
  static absl::StatusOr<std::unique_ptr<Network>> MakeWith(const NetworkOptions& options,
                                                           std::optional<uint64_t> seed);
  std::unique_ptr<State> state_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_NETWORK_H_
