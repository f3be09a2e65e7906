// Writes weights and a clip of the golden cases, for other programs and for trying by hand.
//
//   ./bazelw run //op3d/network/testing:write_golden -- dg_p3d_resnet18 400 /tmp/weights /tmp/clip
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/network/network.h"
#include "op3d/network/testing/golden_filling.h"
#include "op3d/torch/tensor_file.h"

namespace op3d {
namespace {

absl::Status Write(const std::string& name, int classes, const std::string& weights,
                   const std::string& clip) {
  auto network = Network::MakeUnfilled({name, classes});
  if (!network.ok()) return network.status();
  for (auto& [entry, tensor] : (*network)->StateDict()) {
    if (!tensor.is_floating_point()) continue;
    const std::vector<float> values = GoldenFilling(entry, tensor.sizes().vec());
    std::copy(values.begin(), values.end(), tensor.detach().mutable_data_ptr<float>());
  }
  if (absl::Status status = (*network)->SaveWeights(weights); !status.ok()) return status;
  constexpr std::array<int64_t, 5> kShape = {2, 3, 16, 64, 64};
  const std::vector<float> values = GoldenClip(kShape, "input");
  const std::string file =
      SerializeSafetensors(
          {{"input",
            DType::kF32,
            {kShape.begin(), kShape.end()},
            {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}}},
          {})
          .value();
  return WriteFileAtomically(clip, file);
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "use: write_golden NETWORK CLASSES WEIGHTS CLIP\n");
    return 2;
  }
  const absl::Status status =
      op3d::Write(argv[1], std::atoi(argv[2]), op3d::UserPath(argv[3]), op3d::UserPath(argv[4]));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
