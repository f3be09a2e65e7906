#include "op3d/network/torchscript/torchscript_source.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace op3d {
namespace {

std::string List(const Size3& numbers) {
  return absl::StrCat("[", absl::StrJoin(numbers, ", "), "]");
}

// self.layer1.0.conv1.weight, in a syntax that allows a module called "0".
std::string Attribute(const std::string& name) {
  std::string path = "self";
  for (const absl::string_view part : absl::StrSplit(name, '.')) {
    path = absl::StrCat("getattr(", path, ", \"", part, "\")");
  }
  return path;
}

// Writes one line per operation; every method returns the name of its result's variable.
class Writer {
 public:
  std::string Assign(const std::string& expression) {
    std::string variable = absl::StrCat("v", count_++);
    absl::StrAppend(&body_, "    ", variable, " = ", expression, "\n");
    return variable;
  }

  std::string Relu(const std::string& x) { return Assign(absl::StrCat("torch.relu(", x, ")")); }
  std::string Sum(const std::string& x, const std::string& y) {
    return Assign(absl::StrCat(x, " + ", y));
  }
  std::string Mean(const std::string& x) {
    return Assign(absl::StrCat("torch.mean(", x, ", [2, 3, 4])"));
  }

  std::string Write(const ConvolutionDefinition& d, const std::string& x) {
    return Assign(absl::StrCat("torch.conv3d(", x, ", ", Attribute(d.name + ".weight"), ", None, ",
                               List(d.stride), ", ", List(d.padding), ", [1, 1, 1], ", d.groups,
                               ")"));
  }

  std::string Write(const BatchNormDefinition& d, const std::string& x) {
    const auto part = [&](const char* name) { return Attribute(absl::StrCat(d.name, ".", name)); };
    return Assign(absl::StrCat("torch.batch_norm(", x, ", ", part("weight"), ", ", part("bias"),
                               ", ", part("running_mean"), ", ", part("running_var"),
                               ", False, 0.1, ", d.epsilon, ", False)"));
  }

  std::string Write(const ConvolutionNorm& d, const std::string& x) {
    return Write(d.norm, Write(d.convolution, x));
  }

  std::string Write(const LinearDefinition& d, const std::string& x) {
    return Assign(absl::StrCat("torch.linear(", x, ", ", Attribute(d.name + ".weight"), ", ",
                               Attribute(d.name + ".bias"), ")"));
  }

  std::string Write(const PoolDefinition& d, const std::string& x) {
    return Assign(absl::StrCat("torch.max_pool3d(", x, ", ", List(d.kernel), ", ", List(d.stride),
                               ", ", List(d.padding), ", [1, 1, 1], False)"));
  }

  std::string Bottleneck(const BlockDefinition& d, const std::string& input) {
    const std::string x = Relu(Write(*d.reduce, input));
    const PairDefinition& pair = d.pairs[0];
    std::string y = Write(pair.spatial, x);
    switch (d.wiring) {
      case Wiring::kSpatial:
        y = Relu(Write(pair.norm, y));
        break;
      case Wiring::kSerial:
        y = Relu(Write(pair.norm, Write(*pair.temporal, y)));
        break;
      case Wiring::kParallel:
        y = Relu(Write(pair.norm, Sum(y, Write(*pair.temporal, x))));
        break;
      case Wiring::kResidual:
        y = Relu(Write(pair.norm, y));
        y = Relu(Sum(y, Write(*pair.temporal, y)));
        break;
    }
    return Write(*d.expand, y);
  }

  std::string Basic(const BlockDefinition& d, const std::string& input) {
    const PairDefinition &first = d.pairs[0], &second = d.pairs[1];
    std::string x = Write(first.spatial, input);
    switch (d.wiring) {
      case Wiring::kSpatial:
        x = Relu(Write(first.norm, x));
        return Write(second.norm, Write(second.spatial, x));
      case Wiring::kSerial:
        x = Relu(Write(first.norm, Write(*first.temporal, x)));
        return Write(second.norm, Write(*second.temporal, Write(second.spatial, x)));
      case Wiring::kParallel: {
        const std::string temporal = Write(*first.temporal, input);
        x = Relu(Write(first.norm, Sum(x, temporal)));
        const std::string of_second = Write(*second.temporal, d.chained_temporal ? temporal : x);
        return Write(second.norm, Sum(Write(second.spatial, x), of_second));
      }
      case Wiring::kResidual:
        break;
    }
    x = Relu(Write(first.norm, x));
    x = Relu(Sum(x, Write(*first.temporal, x)));
    x = Write(second.norm, Write(second.spatial, x));
    return Sum(x, Write(*second.temporal, x));
  }

  std::string Write(const BlockDefinition& d, const std::string& input) {
    const std::string branch = d.reduce.has_value() ? Bottleneck(d, input) : Basic(d, input);
    std::string output =
        Sum(branch, d.downsample.has_value() ? Write(*d.downsample, input) : input);
    std::string context;
    if (d.context.has_value()) {
      context = Write(d.context->expand, Relu(Write(d.context->reduce, Mean(branch))));
    } else if (d.diffusion.has_value()) {
      const auto two = [&](const std::array<LinearDefinition, 2>& layers, const std::string& x) {
        return Write(layers[1], Write(layers[0], x));
      };
      global_ = Relu(Sum(two(d.diffusion->local, Mean(input)), two(d.diffusion->global, global_)));
      context = two(d.diffusion->output, global_);
    }
    if (!context.empty()) {
      output = Assign(absl::StrCat(output, " + ", context, ".view([", context, ".size(0), ", context,
                                   ".size(1), 1, 1, 1])"));
    }
    return Relu(output);
  }

  std::string Write(const StageDefinition& d, std::string x) {
    for (const BlockDefinition& block : d.blocks) x = Write(block, x);
    return x;
  }

  std::string Separable(const PairDefinition& d, const std::string& x) {
    return Relu(Write(d.norm, Write(*d.temporal, Write(d.spatial, x))));
  }

  std::string Write(const InceptionDefinition& d, const std::string& x) {
    std::vector<std::string> branches = {Relu(Write(d.pointwise, x))};
    for (int i = 0; i < 2; ++i) {
      branches.push_back(Separable(d.pairs[i], Relu(Write(d.reduce[i], x))));
    }
    branches.push_back(Relu(Write(d.project, Write(d.maxpool, x))));
    for (size_t i = 0; i < d.gates.size(); ++i) {
      const std::string weights = Write(d.gates[i], Mean(branches[i]));
      branches[i] = Assign(absl::StrCat(branches[i], " * torch.sigmoid(", weights, ").view([",
                                        weights, ".size(0), ", weights, ".size(1), 1, 1, 1])"));
    }
    return Assign(absl::StrCat("torch.cat([", absl::StrJoin(branches, ", "), "], 1)"));
  }

  std::string Write(const S3dLayerDefinition& d, const std::string& x) {
    if (d.maxpool.has_value()) return Write(*d.maxpool, x);
    if (d.pointwise.has_value()) return Relu(Write(*d.pointwise, x));
    if (d.pair.has_value()) return Separable(*d.pair, x);
    return Write(*d.inception, x);
  }

  std::string Network(const NetworkDefinition& network) {
    std::string x = "x";
    for (const ConvolutionNorm& layer : network.stem) x = Relu(Write(layer, x));
    if (!network.stem.empty()) x = Write(network.maxpool, x);
    if (network.global_classifier.has_value()) global_ = Mean(x);
    for (const StageDefinition& stage : network.trunk) x = Write(stage, x);
    for (const S3dBlockDefinition& block : network.s3d) {
      for (const S3dLayerDefinition& layer : block.layers) x = Write(layer, x);
    }
    std::vector<std::string> logits;
    for (const HeadDefinition& head : network.heads) {
      const std::string pooled = head.maxpool.has_value() ? Write(*head.maxpool, x) : x;
      logits.push_back(Write(head.classifier, Mean(Write(head.stage, pooled))));
    }
    return absl::StrCat("def heads(self, x: Tensor) -> List[Tensor]:\n", body_, "    return [",
                        absl::StrJoin(logits, ", "),
                        "]\n\ndef forward(self, x: Tensor) -> Tensor:\n"
                        "    return torch.mean(torch.stack(self.heads(x)), [0])\n");
  }

 private:
  int count_ = 0;
  std::string body_;
  // LGD's vector.
  std::string global_;
};

}  // namespace

std::string TorchScriptSource(const NetworkDefinition& network) {
  return Writer().Network(network);
}

}  // namespace op3d
