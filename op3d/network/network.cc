#include "op3d/network/network.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/definition/architecture.h"
#include "op3d/network/definition/definition.h"
#include "op3d/network/definition/state_entries.h"
#include "op3d/network/initial_values.h"
#include "op3d/network/layers/feature_map.h"
#include "op3d/network/network_body.h"
#include "op3d/network/state_dict.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

// Replaces the architecture's number by `value` if it is given.
absl::Status Override(absl::string_view what, int64_t value, int64_t multiple, int64_t* number) {
  if (value == 0) return absl::OkStatus();
  if (value < 0 || value % multiple != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the network's ", what, " of ", value,
                                                   " must be a positive multiple of ", multiple,
                                                   ", or 0 for its own"));
  }
  *number = value;
  return absl::OkStatus();
}

// A user's width must give whole groups to the grouped convolutions.
absl::Status CheckGroups(const NetworkOptions& options, const NetworkDefinition& definition) {
  for (const StageDefinition& stage : definition.trunk) {
    for (const BlockDefinition& block : stage.blocks) {
      for (const PairDefinition& pair : block.pairs) {
        const ConvolutionDefinition& layer = pair.spatial;
        if (layer.out_channels % layer.groups == 0) continue;
        return absl::InvalidArgumentError(
            absl::StrCat(options.name, " of width ", options.width, ": the ", layer.out_channels,
                         " channels of ", layer.name, " do not make ", layer.groups,
                         " groups; use a multiple of 64"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Ablate(const NetworkOptions& options, Architecture* architecture) {
  if (!options.without_temporal_head && !options.without_spatial_head &&
      !options.without_global_context) {
    return absl::OkStatus();
  }
  if (architecture->family != Family::kDgP3d) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.name,
        " without a head or the context: only a network of DG-P3D (dg_p3d_...) has these parts"));
  }
  if (options.without_temporal_head && options.without_spatial_head) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.name, " without both heads gives no logits; leave out one at most"));
  }
  architecture->temporal_head = !options.without_temporal_head;
  architecture->spatial_head = !options.without_spatial_head;
  architecture->global_context = !options.without_global_context;
  return absl::OkStatus();
}

// Without a seed: zeros.
at::Tensor InitialTensor(const StateEntry& entry, std::optional<uint64_t> seed) {
  if (entry.kind == EntryKind::kBatchCounter) return at::zeros({}, at::kLong);
  if (!seed.has_value()) {
    return at::zeros(entry.shape, at::kFloat).set_requires_grad(IsParameter(entry.kind));
  }
  at::Tensor tensor = at::empty(entry.shape, at::kFloat);
  FillInitialValues(entry, *seed,
                    absl::MakeSpan(tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())));
  return tensor.set_requires_grad(IsParameter(entry.kind));
}

}  // namespace

absl::StatusOr<NetworkDefinition> Define(const NetworkOptions& options) {
  OP3D_ASSIGN_OR_RETURN(Architecture architecture, FindArchitecture(options.name));
  if (options.classes < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.name, " for ", options.classes, " classes: there must be at least 1"));
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("dropout ", options.dropout, " is outside [0, 1)"));
  }
  const bool given = options.width != 0 || options.early_stride != 0;
  if (given && architecture.family == Family::kS3d) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.name, " has its own widths and strides: leave width and early_stride 0"));
  }
  if (options.dual_pool != 0 && architecture.family != Family::kDgP3d) {
    return absl::InvalidArgumentError(absl::StrCat(options.name, " has no spatial head: dual_pool ",
                                                   options.dual_pool, " must be left 0"));
  }
  OP3D_RETURN_IF_ERROR(Override("width", options.width, 8, &architecture.width));
  OP3D_RETURN_IF_ERROR(
      Override("early_stride", options.early_stride, 1, &architecture.early_stride));
  OP3D_RETURN_IF_ERROR(Override("dual_pool", options.dual_pool, 1, &architecture.dual_pool));
  OP3D_RETURN_IF_ERROR(Ablate(options, &architecture));
  NetworkDefinition definition = DefineNetwork(architecture, options.classes);
  OP3D_RETURN_IF_ERROR(CheckGroups(options, definition));
  return definition;
}

absl::Status CheckClipSize(const NetworkDefinition& definition, const Size3& size) {
  if (size[0] < definition.least_frames) {
    return absl::InvalidArgumentError(
        absl::StrCat("clip of ", size[0], " frames is too short: ", definition.least_frames_for,
                     " needs at least ", definition.least_frames));
  }
  if (size[1] < definition.least_side || size[2] < definition.least_side) {
    return absl::InvalidArgumentError(absl::StrCat("clip of height ", size[1], " and width ",
                                                   size[2], ": both must be at least ",
                                                   definition.least_side));
  }
  return absl::OkStatus();
}

absl::Status CheckClips(const NetworkDefinition& definition, const at::Tensor& clips,
                        const at::Tensor& weight) {
  if (!clips.defined() || clips.dim() != 5 || clips.size(0) < 1 || clips.size(1) != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("clips have shape ", clips.defined() ? ShapeText(clips.sizes()) : "(none)",
                     "; they must be [N, 3, T, H, W] with N at least 1"));
  }
  OP3D_RETURN_IF_ERROR(CheckClipSize(definition, {clips.size(2), clips.size(3), clips.size(4)}));
  if (clips.scalar_type() != weight.scalar_type() || clips.device() != weight.device()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "clips are ", at::toString(clips.scalar_type()), " on ", clips.device().str(),
        ", the network is ", at::toString(weight.scalar_type()), " on ", weight.device().str()));
  }
  return absl::OkStatus();
}

struct Network::State {
  NetworkOptions options;
  NetworkDefinition definition;
  std::vector<StateEntry> entries;
  NamedTensors tensors;  // one an entry
  NamedTensors parameters;
  std::unique_ptr<NetworkBody> body;
  ForwardMode mode;
  Precision precision = Precision::kFloat32;
  uint64_t dropout_seed = 0;
  int64_t dropout_pass = 0;  // forward passes in training since SeedDropout
  // Clips of the last masks; they are those of the next pass.
  int64_t mask_clips = 0;
  bool masks_drawn = false;

  bool drops() const { return mode.training && mode.dropout > 0; }

  absl::Status DrawMasks(int64_t clips) {
    ForwardMode drawing = mode;
    drawing.dropout_seed = RandomStream(dropout_seed, "network.dropout", {dropout_pass})();
    mask_clips = clips;
    masks_drawn = false;
    OP3D_RETURN_IF_ERROR(CatchTorch([&] {
      body->DrawDropout(clips, drawing);
      return absl::OkStatus();
    }));
    masks_drawn = true;
    return absl::OkStatus();
  }
};

Network::Network(std::unique_ptr<State> state) : state_(std::move(state)) {}
Network::~Network() = default;

std::vector<std::string> NetworkNames() { return ArchitectureNames(); }

absl::StatusOr<std::unique_ptr<Network>> Network::Make(const NetworkOptions& options,
                                                       uint64_t seed) {
  return MakeWith(options, seed);
}

absl::StatusOr<std::unique_ptr<Network>> Network::MakeUnfilled(const NetworkOptions& options) {
  return MakeWith(options, std::nullopt);
}

absl::StatusOr<std::unique_ptr<Network>> Network::MakeWith(const NetworkOptions& options,
                                                           std::optional<uint64_t> seed) {
  auto state = std::make_unique<State>();
  state->options = options;
  OP3D_ASSIGN_OR_RETURN(state->definition, Define(options));
  state->entries = StateEntries(state->definition);
  state->mode.training = true;
  state->mode.dropout = options.dropout;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    TensorTable table;
    for (const StateEntry& entry : state->entries) {
      const bool second = !entry.same_tensor_as.empty();
      state->tensors.emplace_back(
          entry.name, second ? table.at(entry.same_tensor_as) : InitialTensor(entry, seed));
      table.insert(state->tensors.back());
      if (IsParameter(entry.kind) && !second) state->parameters.push_back(state->tensors.back());
    }
    state->body = std::make_unique<NetworkBody>(state->definition, table);
    return absl::OkStatus();
  }));
  return std::unique_ptr<Network>(new Network(std::move(state)));
}

const NetworkOptions& Network::options() const { return state_->options; }

absl::StatusOr<std::vector<at::Tensor>> Network::Forward(const at::Tensor& clips,
                                                         const FeatureObserver& observer) {
  OP3D_RETURN_IF_ERROR(CheckClips(state_->definition, clips, state_->parameters[0].second));
  ForwardMode mode = state_->mode;
  mode.observer = observer;
  if (state_->drops()) {
    if (!state_->masks_drawn || state_->mask_clips != clips.size(0)) {
      OP3D_RETURN_IF_ERROR(state_->DrawMasks(clips.size(0)));
    }
    state_->masks_drawn = false;  // the next pass has others
  }
  if (mode.training) ++state_->dropout_pass;
  std::vector<at::Tensor> logits;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    logits = state_->body->Forward(clips, mode);
    return absl::OkStatus();
  }));
  return logits;
}

void Network::SetTraining(bool training) { state_->mode.training = training; }
bool Network::training() const { return state_->mode.training; }
void Network::SetFrozenBatchNorm(bool frozen) { state_->mode.frozen_batch_norm = frozen; }

void Network::SeedDropout(uint64_t seed) {
  state_->dropout_seed = seed;
  state_->dropout_pass = 0;
  state_->masks_drawn = false;
  // Here if it can be, not in Forward: a recorded forward pass is only its device's part.  Forward()
  // tries again after an error.
  if (state_->drops() && state_->mask_clips > 0)
    state_->DrawMasks(state_->mask_clips).IgnoreError();
}

const NamedTensors& Network::Parameters() const { return state_->parameters; }

int64_t Network::CountParameters() const { return op3d::CountParameters(state_->entries); }

NamedTensors Network::StateDict() const {
  NamedTensors result;
  for (size_t i = 0; i < state_->entries.size(); ++i) {
    const StateEntry& entry = state_->entries[i];
    const bool frozen = state_->mode.frozen_batch_norm && entry.freezes;
    if (!(frozen && entry.kind == EntryKind::kBatchCounter)) result.push_back(state_->tensors[i]);
  }
  return result;
}

absl::Status Network::LoadStateDict(const NamedTensors& tensors) {
  const std::map<std::string, at::Tensor> given = StateDictByName(tensors);
  OP3D_RETURN_IF_ERROR(CheckStateDict(state_->entries, given));
  return CatchTorch([&]() -> absl::Status {
    at::NoGradGuard no_grad;
    // In reverse order, so that of two names the first one counts.
    for (auto entry = state_->tensors.rbegin(); entry != state_->tensors.rend(); ++entry) {
      const auto it = given.find(entry->first);
      if (it != given.end()) entry->second.copy_(it->second);
    }
    return absl::OkStatus();
  });
}

absl::Status Network::SaveWeights(const std::string& path,
                                  const std::map<std::string, std::string>& metadata) const {
  return WriteTensors(path, StateDict(), metadata);
}

absl::Status Network::LoadWeights(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(path));
  const absl::StatusOr<NetworkWeights> weights = WeightsOf(state_->definition, checkpoint);
  OP3D_RETURN_IF_ERROR(Annotate(weights.status(), path));
  OP3D_ASSIGN_OR_RETURN(const NamedTensors tensors, ToTensors(weights->tensors));
  return Annotate(LoadStateDict(tensors), path);
}

absl::StatusOr<ImportReport> Network::StartFrom(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(path));
  absl::StatusOr<ImportedWeights> imported = ImportWeights(state_->definition, checkpoint);
  OP3D_RETURN_IF_ERROR(Annotate(imported.status(), path));
  OP3D_RETURN_IF_ERROR(Annotate(CheckStart(state_->definition, imported->report), path));
  OP3D_ASSIGN_OR_RETURN(const NamedTensors tensors, ToTensors(imported->tensors));
  const std::map<std::string, at::Tensor> given(tensors.begin(), tensors.end());
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    at::NoGradGuard no_grad;
    for (auto& [name, tensor] : state_->tensors) {
      const auto it = given.find(name);
      if (it != given.end()) tensor.copy_(it->second);
    }
    return absl::OkStatus();
  }));
  return std::move(imported->report);
}

absl::Status Network::SetPrecision(Precision precision) {
  const bool cuda = device().is_cuda();
  if (precision == Precision::kTf32 && !cuda) {
    return absl::InvalidArgumentError(
        "precision tf32 is for CUDA devices; use fp32 or bf16 on a CPU");
  }
  const at::ScalarType type = precision == Precision::kFloat64 ? at::kDouble : at::kFloat;
  if (state_->parameters[0].second.scalar_type() != type) OP3D_RETURN_IF_ERROR(To(type));
  state_->mode.features = ComputingType(precision);
  state_->precision = precision;
  if (!cuda) return absl::OkStatus();
  return CatchTorch([&]() -> absl::Status {
    at::globalContext().setAllowTF32CuBLAS(precision == Precision::kTf32);
    at::globalContext().setAllowTF32CuDNN(precision == Precision::kTf32);
    // Partial sums in float16 may overflow where the sum does not.
    if (precision == Precision::kFloat16) at::globalContext().setAllowFP16ReductionCuBLAS(false);
    return absl::OkStatus();
  });
}

Precision Network::precision() const { return state_->precision; }

void Network::SetRecompute(bool recompute) { state_->mode.recompute = recompute; }

absl::Status Network::To(at::ScalarType type) {
  if (!at::isFloatingType(type)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a network cannot compute in ", at::toString(type)));
  }
  state_->masks_drawn = false;
  return CatchTorch([&]() -> absl::Status {
    for (auto& [name, tensor] : state_->tensors) {
      if (!tensor.is_floating_point()) continue;
      tensor.mutable_grad() = at::Tensor();
      tensor.set_data(tensor.detach().to(type));
    }
    return absl::OkStatus();
  });
}

absl::Status Network::ToDevice(const std::string& device) {
  const bool cuda = device == "cuda" || absl::StartsWith(device, "cuda:");
  if (!cuda && device != "cpu") {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", device, "' is none of cpu, cuda, cuda:0, cuda:1 ..."));
  }
  if (cuda && !at::globalContext().hasCUDA()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "device '", device,
        "': there is no CUDA device, or this program was built without --config=cuda"));
  }
  state_->masks_drawn = false;
  return CatchTorch([&]() -> absl::Status {
    for (auto& [name, tensor] : state_->tensors) {
      tensor.mutable_grad() = at::Tensor();
      tensor.set_data(tensor.detach().to(at::Device(device)));
    }
    return absl::OkStatus();
  });
}

at::Device Network::device() const { return state_->parameters[0].second.device(); }

}  // namespace op3d
