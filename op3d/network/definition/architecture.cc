#include "op3d/network/definition/architecture.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace op3d {
namespace {

struct FamilyName {
  Family family;
  const char* prefix;
};
constexpr FamilyName kFamilies[] = {
    {Family::kC2d, "c2d"},        {Family::kDgP3d, "dg_p3d"}, {Family::kI3d, "i3d"},
    {Family::kLgdP3d, "lgd_p3d"}, {Family::kP3d, "p3d"},      {Family::kP3dA, "p3da"},
    {Family::kP3dB, "p3db"},      {Family::kP3dC, "p3dc"},    {Family::kR2p1d, "r2p1d"},
};

struct Size {
  const char* name;
  BlockKind block;
  std::array<int64_t, 4> depths;
  int64_t groups = 1;
  int64_t base_width = 64;
  bool deep_stem = false;
  int64_t width = 64;
};
constexpr Size kSizes[] = {
    // For synthetic video of 32x32: all parts at a hundredth of the cost.
    {"miniature", BlockKind::kBottleneck, {1, 1, 1, 1}, 1, 64, false, 8},
    {"resnet18", BlockKind::kBasic, {2, 2, 2, 2}},
    {"resnet34", BlockKind::kBasic, {3, 4, 6, 3}},
    {"resnet50", BlockKind::kBottleneck, {3, 4, 6, 3}},
    {"resnet101", BlockKind::kBottleneck, {3, 4, 23, 3}},
    {"resnet103", BlockKind::kBottleneck, {3, 4, 23, 3}, 1, 64, true},
    {"resnet152", BlockKind::kBottleneck, {3, 8, 36, 3}},
    {"resnext50_32x4d", BlockKind::kBottleneck, {3, 4, 6, 3}, 32, 4},
    {"resnext101_32x8d", BlockKind::kBottleneck, {3, 4, 23, 3}, 32, 8},
    {"resnext103_64x4d", BlockKind::kBottleneck, {3, 4, 23, 3}, 64, 4, true},
    {"wide_resnet50_2", BlockKind::kBottleneck, {3, 4, 6, 3}, 1, 128},
    {"wide_resnet101_2", BlockKind::kBottleneck, {3, 4, 23, 3}, 1, 128},
};

Architecture Residual(const FamilyName& family, const Size& size) {
  Architecture architecture;
  architecture.name = absl::StrCat(family.prefix, "_", size.name);
  architecture.family = family.family;
  architecture.block = size.block;
  architecture.depths = size.depths;
  architecture.groups = size.groups;
  architecture.base_width = size.base_width;
  architecture.deep_stem = size.deep_stem;
  architecture.width = size.width;
  // Only C2D keeps the usual epsilon after a deep stem.
  if (size.deep_stem && family.family != Family::kC2d) architecture.batch_norm_epsilon = 2e-5;
  return architecture;
}

Architecture S3d(absl::string_view name, bool gating) {
  Architecture architecture;
  architecture.name = std::string(name);
  architecture.family = Family::kS3d;
  architecture.gating = gating;
  return architecture;
}

std::vector<Architecture> List() {
  std::vector<Architecture> all = {S3d("s3d", false), S3d("s3dg", true)};
  for (const FamilyName& family : kFamilies) {
    for (const Size& size : kSizes) all.push_back(Residual(family, size));
  }
  return all;
}

const std::vector<Architecture>& All() {
  static const auto* const all = new std::vector<Architecture>(List());
  return *all;
}

// Not all names: a hundred would hide the pattern.
std::string Choices() {
  std::vector<std::string> families, sizes;
  for (const FamilyName& family : kFamilies) families.push_back(family.prefix);
  for (const Size& size : kSizes) sizes.push_back(size.name);
  return absl::StrCat("s3d, s3dg, or FAMILY_SIZE with one of the families ",
                      absl::StrJoin(families, ", "), " and the sizes ", absl::StrJoin(sizes, ", "),
                      ", as in dg_p3d_resnet50");
}

}  // namespace

absl::StatusOr<Architecture> FindArchitecture(absl::string_view name) {
  for (const Architecture& architecture : All()) {
    if (architecture.name == name) return architecture;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no network '", name, "'; known are ", Choices()));
}

std::vector<std::string> ArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture& architecture : All()) names.push_back(architecture.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace op3d
