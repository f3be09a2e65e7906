// For tests: a golden case on disk, and its network and clips.
#ifndef OP3D_NETWORK_TESTING_GOLDEN_CASE_H_
#define OP3D_NETWORK_TESTING_GOLDEN_CASE_H_

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "op3d/base/safetensors.h"
#include "op3d/network/network.h"

namespace op3d {

class GoldenCase {
 public:
  // Aborts the test program if the case does not exist.
  explicit GoldenCase(const std::string& name);

  // case.json.
  const nlohmann::json& facts() const { return facts_; }
  // The network with the golden filling.
  std::unique_ptr<Network> MakeNetwork(at::ScalarType type) const;
  Safetensors Read(const std::string& file) const;

 private:
  std::string name_;
  nlohmann::json facts_;
};

at::Tensor GoldenClips(const std::array<int64_t, 5>& shape, const std::string& name,
                       at::ScalarType type);

// The numbers of a float64 tensor of `file`; empty if it does not exist.
std::vector<double> Doubles(const Safetensors& file, const std::string& name);

// Compares `tensor` with `name`.f64 of the file, sampled at `name`.index if that exists: the
// largest difference divided by `rms`, infinite if sizes differ.
double WorstDifference(const at::Tensor& tensor, const Safetensors& file, const std::string& name,
                       double rms);

}  // namespace op3d

#endif  // OP3D_NETWORK_TESTING_GOLDEN_CASE_H_
