#include "op3d/network/architecture.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace op3d {
namespace {

Architecture Bottleneck(absl::string_view name, std::array<int64_t, 4> depths) {
  Architecture architecture;
  architecture.name = std::string(name);
  architecture.depths = depths;
  return architecture;
}

Architecture Basic(absl::string_view name, std::array<int64_t, 4> depths) {
  Architecture architecture = Bottleneck(name, depths);
  architecture.block = BlockKind::kBasic;
  return architecture;
}

Architecture Grouped(Architecture architecture, int64_t groups, int64_t base_width) {
  architecture.groups = groups;
  architecture.base_width = base_width;
  return architecture;
}

Architecture DeepStem(Architecture architecture) {
  architecture.deep_stem = true;
  architecture.batch_norm_epsilon = 2e-5;
  return architecture;
}

// For synthetic video of 32x32: a real dual head at a hundredth of the cost.
Architecture Miniature() {
  Architecture architecture = Bottleneck("dg_p3d_miniature", {1, 1, 1, 1});
  architecture.width = 8;
  return architecture;
}

const std::vector<Architecture>& All() {
  static const auto* const all = new std::vector<Architecture>{
      Miniature(),
      Basic("dg_p3d_resnet18", {2, 2, 2, 2}),
      Basic("dg_p3d_resnet34", {3, 4, 6, 3}),
      Bottleneck("dg_p3d_resnet50", {3, 4, 6, 3}),
      Bottleneck("dg_p3d_resnet101", {3, 4, 23, 3}),
      DeepStem(Bottleneck("dg_p3d_resnet103", {3, 4, 23, 3})),
      Bottleneck("dg_p3d_resnet152", {3, 8, 36, 3}),
      Grouped(Bottleneck("dg_p3d_resnext50_32x4d", {3, 4, 6, 3}), 32, 4),
      Grouped(Bottleneck("dg_p3d_resnext101_32x8d", {3, 4, 23, 3}), 32, 8),
      DeepStem(Grouped(Bottleneck("dg_p3d_resnext103_64x4d", {3, 4, 23, 3}), 64, 4)),
      Grouped(Bottleneck("dg_p3d_wide_resnet50_2", {3, 4, 6, 3}), 1, 128),
      Grouped(Bottleneck("dg_p3d_wide_resnet101_2", {3, 4, 23, 3}), 1, 128),
  };
  return *all;
}

}  // namespace

absl::StatusOr<Architecture> FindArchitecture(absl::string_view name) {
  for (const Architecture& architecture : All()) {
    if (architecture.name == name) return architecture;
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no network '", name, "'; known are ",
                                                 absl::StrJoin(ArchitectureNames(), ", ")));
}

std::vector<std::string> ArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture& architecture : All()) names.push_back(architecture.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace op3d
