#include "op3d/network/testing/golden_case.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/network/testing/golden_filling.h"

namespace op3d {
namespace {

std::string Path(const std::string& name, const std::string& file) {
  return RunfilePath(absl::StrCat("op3d/network/testdata/", name, "/", file)).value();
}

at::Tensor Copy(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

template <typename T>
std::vector<T> Numbers(const Safetensors& file, const std::string& name) {
  std::vector<T> numbers;
  if (const TensorView* view = file.Find(name)) {
    numbers.resize(view->data.size() / sizeof(T));
    std::memcpy(numbers.data(), view->data.data(), view->data.size());
  }
  return numbers;
}

}  // namespace

GoldenCase::GoldenCase(const std::string& name)
    : name_(name),
      facts_(nlohmann::json::parse(ReadFile(Path(name, "case.json")).value(), nullptr, false)) {}

std::unique_ptr<Network> GoldenCase::MakeNetwork(at::ScalarType type) const {
  std::unique_ptr<Network> network = Network::Make({name_, facts_["classes"], 0}, 1).value();
  NamedTensors filling;
  for (const auto& [name, tensor] : network->StateDict()) {
    filling.emplace_back(name,
                         absl::EndsWith(name, "num_batches_tracked")
                             ? at::zeros({}, at::kLong)
                             : Copy(GoldenFilling(name, tensor.sizes().vec()), tensor.sizes()));
  }
  absl::Status status = network->LoadStateDict(filling);
  if (status.ok()) status = network->To(type);
  return absl::StatusOr<std::unique_ptr<Network>>(
             status.ok() ? absl::StatusOr<std::unique_ptr<Network>>(std::move(network)) : status)
      .value();
}

Safetensors GoldenCase::Read(const std::string& file) const {
  return Safetensors::Read(Path(name_, file)).value();
}

at::Tensor GoldenClips(const std::array<int64_t, 5>& shape, const std::string& name,
                       at::ScalarType type) {
  return Copy(GoldenClip(shape, name), shape).to(type);
}

std::vector<double> Doubles(const Safetensors& file, const std::string& name) {
  return Numbers<double>(file, name);
}

double WorstDifference(const at::Tensor& tensor, const Safetensors& file, const std::string& name,
                       double rms) {
  const std::vector<double> expected = Doubles(file, name + ".f64");
  std::vector<int64_t> index = Numbers<int64_t>(file, name + ".index");
  const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous();
  if (index.empty()) {
    for (int64_t i = 0; i < flat.numel(); ++i) index.push_back(i);
  }
  if (index.size() != expected.size() || index.empty() || index.back() >= flat.numel()) {
    return std::numeric_limits<double>::infinity();
  }
  double worst = 0;
  for (size_t i = 0; i < index.size(); ++i) {
    const double difference = std::abs(flat.const_data_ptr<double>()[index[i]] - expected[i]);
    // Written in this way so that a NaN counts as the worst.
    if (!(difference <= worst)) worst = difference;
  }
  return worst / rms;
}

}  // namespace op3d
