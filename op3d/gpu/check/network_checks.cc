#include "op3d/gpu/check/network_checks.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/network.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/step/micro_batch_step.h"
#include "op3d/train/step/trainable_network.h"
#include "op3d/train/step/training_loss.h"

namespace op3d::gpu {
namespace {

constexpr double kShare = 1e-3;

// The norm of the difference as a share of the norm.
double Apart(const at::Tensor& device, const at::Tensor& cpu) {
  const at::Tensor a = device.detach().cpu().to(at::kDouble), b = cpu.detach().to(at::kDouble);
  const double norm = b.norm().item<double>();
  return (a - b).norm().item<double>() / (norm > 0 ? norm : 1);
}

at::Tensor Flat(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& tensor : tensors) {
    rows.push_back(tensor.detach().cpu().to(at::kDouble).flatten());
  }
  return at::cat(rows);
}

TrainableNetworkOptions Options(const std::string& network, int64_t classes,
                                const std::string& device, int frames) {
  TrainableNetworkOptions options;
  options.network = {network, classes};
  options.seed = 1;
  options.device = device;
  options.clip_frames = frames;
  options.sgd.set_momentum(0.9);
  options.sgd.set_nesterov(true);
  options.sgd.set_weight_decay(1e-4);
  options.sgd.set_clip_norm(40);
  return options;
}

// The results of a step.
struct StepResult {
  std::vector<at::Tensor> logits, gradients;
  at::Tensor weights;
};

absl::StatusOr<StepResult> OneStep(TrainableNetwork* trained, const at::Tensor& clips,
                                   const at::Tensor& labels, double rate) {
  Network& network = trained->network();
  network.SetTraining(true);
  const at::Device device = network.device();
  StepResult result;
  OP3D_ASSIGN_OR_RETURN(result.logits, network.Forward(clips.to(device)));
  TrainingLoss(result.logits, labels.to(device)).backward();
  for (const auto& [name, parameter] : network.Parameters()) {
    result.gradients.push_back(parameter.grad().defined() ? parameter.grad().cpu()
                                                          : at::zeros_like(parameter).cpu());
  }
  OP3D_RETURN_IF_ERROR(trained->Step(rate).status());
  std::vector<at::Tensor> weights;
  for (const auto& [name, parameter] : network.Parameters()) weights.push_back(parameter);
  result.weights = Flat(weights);
  return result;
}

NamedTensors Copies(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors)
    copies.emplace_back(name, tensor.detach().cpu().clone());
  return copies;
}

// Weights after `steps` steps on noise; after the first `stop_after` from a new network that was
// restored from the first one's tensors.
absl::StatusOr<at::Tensor> Train(const TrainableNetworkOptions& options, const at::Tensor& clips,
                                 const at::Tensor& labels, int steps, int stop_after) {
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<TrainableNetwork> trained, TrainableNetwork::Make(options));
  at::Tensor weights;
  for (int step = 0; step < steps; ++step) {
    if (step == stop_after) {
      const NamedTensors kept = Copies(trained->Tensors());
      OP3D_ASSIGN_OR_RETURN(trained, TrainableNetwork::Make(options));
      OP3D_RETURN_IF_ERROR(trained->Restore(kept));
    }
    OP3D_ASSIGN_OR_RETURN(const StepResult result, OneStep(trained.get(), clips, labels, 0.01));
    weights = result.weights;
  }
  return weights;
}

// Weights after `steps` steps of two micro-batches, with dropout; `recorded`: as a CUDA graph, which is
// recorded in the second step.
absl::StatusOr<at::Tensor> TrainRecorded(const TrainableNetworkOptions& options,
                                         const at::Tensor& clips, const at::Tensor& labels,
                                         int steps, bool* recorded) {
  OP3D_ASSIGN_OR_RETURN(const auto trained, TrainableNetwork::Make(options));
  Network& network = trained->network();
  network.SetTraining(true);
  MicroBatchLossOptions loss;
  loss.classes = options.network.classes;
  MicroBatchStep step(loss, /*loss_factor=*/0.5, *recorded, &network);
  for (int64_t micro = 0; micro < 2 * steps; ++micro) {
    const MicroBatch batch = {(clips + 0.1 * static_cast<double>(micro)).to(network.device()),
                              labels.to(network.device())};
    OP3D_RETURN_IF_ERROR(step.Run({0, micro}, batch).status());
    if (micro % 2 == 1) OP3D_RETURN_IF_ERROR(trained->Step(0.01).status());
  }
  *recorded = step.recorded();
  std::vector<at::Tensor> weights;
  for (const auto& [name, parameter] : network.Parameters()) weights.push_back(parameter);
  return Flat(weights);
}

absl::Status Check(const NetworkCheckOptions& options, CheckReport* report) {
  constexpr int kClasses = 101, kSteps = 4;
  at::manual_seed(1);
  const at::Tensor clips =
      at::randn({options.clips, 3, options.frames, options.side, options.side});
  const at::Tensor labels = at::arange(options.clips, at::kLong);
  const TrainableNetworkOptions device =
      Options(options.network, kClasses, options.device, options.frames);
  const TrainableNetworkOptions cpu = Options(options.network, kClasses, "cpu", options.frames);
  OP3D_ASSIGN_OR_RETURN(const auto on_device, TrainableNetwork::Make(device));
  OP3D_ASSIGN_OR_RETURN(const auto on_cpu, TrainableNetwork::Make(cpu));
  {
    c10::NoGradGuard no_grad;
    on_device->network().SetTraining(false);
    on_cpu->network().SetTraining(false);
    OP3D_ASSIGN_OR_RETURN(const auto a,
                          on_device->network().Forward(clips.to(on_device->network().device())));
    OP3D_ASSIGN_OR_RETURN(const auto b, on_cpu->network().Forward(clips));
    report->Limit(options.network + " logits in evaluation", Apart(Flat(a), Flat(b)), kShare);
  }
  OP3D_ASSIGN_OR_RETURN(const StepResult a, OneStep(on_device.get(), clips, labels, 0.01));
  OP3D_ASSIGN_OR_RETURN(const StepResult b, OneStep(on_cpu.get(), clips, labels, 0.01));
  report->Limit(options.network + " logits in training", Apart(Flat(a.logits), Flat(b.logits)),
                kShare);
  report->Limit(options.network + " gradients", Apart(Flat(a.gradients), Flat(b.gradients)),
                kShare);
  report->Limit(options.network + " weights after a step", Apart(a.weights, b.weights), kShare);

  OP3D_ASSIGN_OR_RETURN(const at::Tensor once, Train(device, clips, labels, kSteps, -1));
  OP3D_ASSIGN_OR_RETURN(const at::Tensor twice, Train(device, clips, labels, kSteps, -1));
  report->Expect(options.network + " twice, equal bits", once.equal(twice));
  OP3D_ASSIGN_OR_RETURN(const at::Tensor resumed, Train(device, clips, labels, kSteps, 2));
  report->Expect(options.network + " resumed, equal bits", once.equal(resumed));

  TrainableNetworkOptions dropping = device;
  dropping.network.dropout = 0.5;
  bool recorded = true, plain = false;
  OP3D_ASSIGN_OR_RETURN(const at::Tensor of_graph,
                        TrainRecorded(dropping, clips, labels, kSteps, &recorded));
  OP3D_ASSIGN_OR_RETURN(const at::Tensor of_kernels,
                        TrainRecorded(dropping, clips, labels, kSteps, &plain));
  report->Expect(options.network + " recorded as a CUDA graph",
                 recorded == on_device->network().device().is_cuda());
  report->Limit(options.network + " recorded steps", Apart(of_graph, of_kernels), kShare);
  return absl::OkStatus();
}

// Bytes [N, T, S, S, 3] as the network's input.
at::Tensor Input(const at::Tensor& bytes, const std::string& device) {
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}, at::kFloat);
  const at::Tensor deviation = at::tensor({0.229, 0.224, 0.225}, at::kFloat);
  return ((bytes.to(at::kFloat) / 255 - mean) / deviation)
      .permute({0, 4, 1, 2, 3})
      .contiguous()
      .to(at::Device(device));
}

absl::Status Miniature(const std::string& device, const std::string& path, CheckReport* report) {
  constexpr int kBatch = 16, kEpochs = 30;
  OP3D_ASSIGN_OR_RETURN(const TensorFile file, ReadTensors(path));
  at::Tensor clips, labels;
  for (const auto& [name, tensor] : file.tensors) (name == "clips" ? clips : labels) = tensor;
  const int64_t classes = labels.max().item<int64_t>() + 1;
  const int64_t count = clips.size(0), trained_on = count * 4 / 5;
  const at::Tensor order = at::empty({count}, at::kLong);
  const std::vector<int64_t> permutation = RandomStream(1, "gpu_check", {}).Permutation(count);
  std::memcpy(order.data_ptr(), permutation.data(), sizeof(int64_t) * permutation.size());
  clips = Input(clips.index_select(0, order), device);
  labels = labels.index_select(0, order).to(at::Device(device));
  OP3D_ASSIGN_OR_RETURN(const auto trained,
                        TrainableNetwork::Make(Options("dg_p3d_miniature", classes, device,
                                                       static_cast<int>(clips.size(2)))));
  Network& network = trained->network();
  double first = 0, last = 0;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    double loss_sum = 0;
    int64_t steps = 0;
    network.SetTraining(true);
    for (int64_t at = 0; at + kBatch <= trained_on; at += kBatch, ++steps) {
      OP3D_ASSIGN_OR_RETURN(const auto heads, network.Forward(clips.narrow(0, at, kBatch)));
      const at::Tensor loss = TrainingLoss(heads, labels.narrow(0, at, kBatch));
      loss.backward();
      OP3D_RETURN_IF_ERROR(trained->Step(epoch < kEpochs * 2 / 3 ? 0.02 : 0.002).status());
      loss_sum += loss.item<double>();
    }
    last = loss_sum / static_cast<double>(steps);
    if (epoch == 0) first = last;
  }
  c10::NoGradGuard no_grad;
  network.SetTraining(false);
  const int64_t held_out = count - trained_on;
  OP3D_ASSIGN_OR_RETURN(const auto heads, network.Forward(clips.narrow(0, trained_on, held_out)));
  at::Tensor logits = heads[0];
  for (size_t i = 1; i < heads.size(); ++i) logits = logits + heads[i];
  const double right = logits.argmax(1)
                           .eq(labels.narrow(0, trained_on, held_out))
                           .to(at::kDouble)
                           .mean()
                           .item<double>();
  report->Figure("miniature", {{"clips", count},
                               {"held_out", held_out},
                               {"first_loss", first},
                               {"last_loss", last},
                               {"top1", right}});
  report->Limit("miniature: 3 / classes against its top-1", 3.0 / static_cast<double>(classes),
                right);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckNetwork(const NetworkCheckOptions& options, CheckReport* report) {
  return CatchTorch([&] { return Check(options, report); });
}

absl::Status CheckMiniature(const std::string& device, const std::string& file,
                            CheckReport* report) {
  return CatchTorch([&] { return Miniature(device, file, report); });
}

}  // namespace op3d::gpu
