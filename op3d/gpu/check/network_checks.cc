#include "op3d/gpu/check/network_checks.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/check/bit_difference.h"
#include "op3d/network/network.h"
#include "op3d/torch/precision.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/step/micro_batch_step.h"
#include "op3d/train/step/trainable_network.h"
#include "op3d/train/step/training_loss.h"

namespace op3d::gpu {
namespace {

constexpr double kShare = 1e-3;

// What two correct kernels in fp32 may be apart in gradients, as a multiple of the CPU's own error.
constexpr double kFloors = 5;

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

// 1 minus the cosine of the angle between them.
double Turned(const at::Tensor& a, const at::Tensor& b) {
  return 1 - a.dot(b).item<double>() / (a.norm() * b.norm()).item<double>();
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

// The network, its initial weights, and what it trains on.
struct Task {
  NetworkCheckOptions check;
  NetworkOptions network;
  // Drawn once: that takes seconds.
  NamedTensors weights;
  at::Tensor clips, labels;
};

absl::StatusOr<std::unique_ptr<TrainableNetwork>> Make(const Task& task, const std::string& device,
                                                       double dropout = 0) {
  TrainableNetworkOptions options =
      Options(task.network.name, task.network.classes, device, task.check.frames);
  options.network.dropout = dropout;
  options.with_initial_values = false;
  OP3D_ASSIGN_OR_RETURN(auto trained, TrainableNetwork::Make(options));
  OP3D_RETURN_IF_ERROR(trained->network().LoadStateDict(task.weights));
  return trained;
}

// All but the weights as rows of fp64 on the CPU.
struct PassResult {
  at::Tensor logits, gradients;
};

absl::StatusOr<PassResult> ForwardBackward(const at::Tensor& clips, const at::Tensor& labels,
                                           Network* network) {
  network->SetTraining(true);
  OP3D_ASSIGN_OR_RETURN(const auto logits, network->Forward(clips.to(network->device())));
  TrainingLoss(logits, labels.to(network->device())).backward();
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : network->Parameters()) {
    gradients.push_back(parameter.grad().defined() ? parameter.grad() : at::zeros_like(parameter));
  }
  return PassResult{Flat(logits), Flat(gradients)};
}

at::Tensor WeightsOf(const Network& network) {
  std::vector<at::Tensor> weights;
  for (const auto& [name, parameter] : network.Parameters()) weights.push_back(parameter);
  return Flat(weights);
}

// A pass in double precision, where a ReLU almost never decides differently.
absl::StatusOr<PassResult> DoublePass(const Task& task, const std::string& device) {
  OP3D_ASSIGN_OR_RETURN(const auto network, Network::MakeUnfilled(task.network));
  OP3D_RETURN_IF_ERROR(network->LoadStateDict(task.weights));
  OP3D_RETURN_IF_ERROR(network->ToDevice(device));
  OP3D_RETURN_IF_ERROR(network->SetPrecision(Precision::kFloat64));
  return ForwardBackward(task.clips.to(at::kDouble), task.labels, network.get());
}

NamedTensors Copies(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors)
    copies.emplace_back(name, tensor.detach().cpu().clone());
  return copies;
}

constexpr int kSteps = 4;
constexpr double kRate = 0.01;

// Weights after the steps on noise; after the first `stop_after` from a new network that was
// restored from the first one's tensors.
absl::StatusOr<at::Tensor> Train(const Task& task, int stop_after) {
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<TrainableNetwork> trained, Make(task, task.check.device));
  for (int step = 0; step < kSteps; ++step) {
    if (step == stop_after) {
      const NamedTensors kept = Copies(trained->Tensors());
      OP3D_ASSIGN_OR_RETURN(trained, Make(task, task.check.device));
      OP3D_RETURN_IF_ERROR(trained->Restore(kept));
    }
    OP3D_RETURN_IF_ERROR(ForwardBackward(task.clips, task.labels, &trained->network()).status());
    OP3D_RETURN_IF_ERROR(trained->Step(kRate).status());
  }
  return WeightsOf(trained->network());
}

struct RecordedResult {
  at::Tensor weights;
  bool recorded = false;
  std::string failure;
};

// Weights after the steps, of two micro-batches each, with dropout; `recorded`: as a CUDA graph,
// which is recorded in the second step.
absl::StatusOr<RecordedResult> TrainRecorded(const Task& task, bool recorded) {
  OP3D_ASSIGN_OR_RETURN(const auto trained, Make(task, task.check.device, /*dropout=*/0.5));
  Network& network = trained->network();
  network.SetTraining(true);
  MicroBatchLossOptions loss;
  loss.classes = task.network.classes;
  MicroBatchStep step(loss, /*loss_factor=*/0.5, recorded, &network);
  for (int64_t micro = 0; micro < 2 * kSteps; ++micro) {
    const MicroBatch batch = {(task.clips + 0.1 * static_cast<double>(micro)).to(network.device()),
                              task.labels.to(network.device())};
    OP3D_RETURN_IF_ERROR(step.Run({0, micro}, batch).status());
    if (micro % 2 == 1) OP3D_RETURN_IF_ERROR(trained->Step(kRate).status());
  }
  return RecordedResult{WeightsOf(network), step.recorded(), step.failure()};
}

absl::StatusOr<at::Tensor> Evaluate(const at::Tensor& clips, Network* network) {
  c10::NoGradGuard no_grad;
  network->SetTraining(false);
  OP3D_ASSIGN_OR_RETURN(const auto logits, network->Forward(clips.to(network->device())));
  return Flat(logits);
}

// Rounding turns ReLUs and maxima over, so that gradients of two correct fp32 kernels may be 4 %
// apart: the limit is what the CPU's own fp32 is from its fp64, times kFloors.
void CheckGradients(const std::string& name, const PassResult& device, const PassResult& cpu,
                    const PassResult& exact, CheckReport* report) {
  const double floor = Apart(cpu.gradients, exact.gradients);
  const double turned = Turned(device.gradients, cpu.gradients);
  report->Limit(name + " gradients", Apart(device.gradients, exact.gradients),
                std::max(kShare, kFloors * floor),
                {{"cpu_fp32_from_fp64", floor},
                 {"device_from_cpu_fp32", Apart(device.gradients, cpu.gradients)},
                 {"wanted", kShare},
                 {"cosine", 1 - turned}});
  report->Limit(name + " gradients, 1 - cosine", turned, 0.01);
}

absl::Status CheckAgainstCpu(const Task& task, CheckReport* report) {
  const std::string& name = task.network.name;
  OP3D_ASSIGN_OR_RETURN(const auto on_device, Make(task, task.check.device));
  OP3D_ASSIGN_OR_RETURN(const auto on_cpu, Make(task, "cpu"));
  Network &there = on_device->network(), &here = on_cpu->network();
  OP3D_ASSIGN_OR_RETURN(const at::Tensor scored_there, Evaluate(task.clips, &there));
  OP3D_ASSIGN_OR_RETURN(const at::Tensor scored_here, Evaluate(task.clips, &here));
  report->Limit(name + " logits in evaluation", Apart(scored_there, scored_here), kShare);

  OP3D_ASSIGN_OR_RETURN(const PassResult a, ForwardBackward(task.clips, task.labels, &there));
  OP3D_ASSIGN_OR_RETURN(const PassResult b, ForwardBackward(task.clips, task.labels, &here));
  report->Limit(name + " logits in training", Apart(a.logits, b.logits), kShare);
  OP3D_RETURN_IF_ERROR(on_device->Step(kRate).status());
  OP3D_RETURN_IF_ERROR(on_cpu->Step(kRate).status());
  report->Limit(name + " weights after a step", Apart(WeightsOf(there), WeightsOf(here)), kShare);

  OP3D_ASSIGN_OR_RETURN(const PassResult exact, DoublePass(task, "cpu"));
  CheckGradients(name, a, b, exact, report);
  OP3D_ASSIGN_OR_RETURN(const PassResult exact_there, DoublePass(task, task.check.device));
  report->Limit(name + " logits in fp64", Apart(exact_there.logits, exact.logits), kShare);
  report->Limit(name + " gradients in fp64", Apart(exact_there.gradients, exact.gradients), kShare);
  return absl::OkStatus();
}

absl::Status CheckRepeats(const Task& task, CheckReport* report) {
  OP3D_ASSIGN_OR_RETURN(const at::Tensor once, Train(task, -1));
  OP3D_ASSIGN_OR_RETURN(const at::Tensor twice, Train(task, -1));
  report->Same(task.network.name + " twice, equal bits", BitDifference(twice, once));
  OP3D_ASSIGN_OR_RETURN(const at::Tensor resumed, Train(task, 2));
  report->Same(task.network.name + " resumed, equal bits", BitDifference(resumed, once));
  return absl::OkStatus();
}

absl::Status CheckRecording(const Task& task, CheckReport* report) {
  const bool cuda = at::Device(task.check.device).is_cuda();
  OP3D_ASSIGN_OR_RETURN(const RecordedResult graph, TrainRecorded(task, true));
  report->Expect(task.network.name + " recorded as a CUDA graph", graph.recorded == cuda,
                 graph.failure);
  OP3D_ASSIGN_OR_RETURN(const RecordedResult kernels, TrainRecorded(task, false));
  report->Limit(task.network.name + " recorded steps", Apart(graph.weights, kernels.weights),
                kShare);
  return absl::OkStatus();
}

absl::Status Check(const NetworkCheckOptions& options, CheckReport* report) {
  Task task;
  task.check = options;
  task.network = {options.network, /*classes=*/101};
  at::manual_seed(1);
  task.clips = at::randn({options.clips, 3, options.frames, options.side, options.side});
  task.labels = at::arange(options.clips, at::kLong);
  OP3D_ASSIGN_OR_RETURN(const auto initial, Network::Make(task.network, /*seed=*/1));
  task.weights = Copies(initial->StateDict());
  for (const auto& [what, check] :
       {std::make_pair("against the CPU", CheckAgainstCpu),
        std::make_pair("repeated", CheckRepeats), std::make_pair("recorded", CheckRecording)}) {
    const absl::Status done = CatchTorch([&, check = check] { return check(task, report); });
    report->Keep(options.network + " " + what, done);
  }
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
