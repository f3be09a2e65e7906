#include "benchmarks/sweeps/sweep.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d::benchmarks {
namespace {

std::vector<std::string> NamesOf(const Sweep& sweep) {
  std::vector<std::string> names;
  for (const Sweep::Variant& variant : sweep.variants()) names.push_back(variant.name());
  return names;
}

absl::Status CheckSweep(const Sweep& sweep, const std::string& name) {
  if (sweep.variants().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the sweep ", name, " has no variants"));
  }
  std::set<std::string> seen;
  for (const Sweep::Variant& variant : sweep.variants()) {
    if (!IsPlainName(variant.name())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the sweep ", name, " has a variant named '", variant.name(),
                       "', but it becomes a folder's name: use letters, digits, _ and -"));
    }
    if (!seen.insert(variant.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the sweep ", name, " has two variants named ", variant.name()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Sweep> FindSweep(const std::string& name, const std::string& variants,
                                bool miniature) {
  Sweep sweep;
  std::string path = UserPath(name);
  if (IsTextprotoName(name)) {
    const absl::StatusOr<std::string> shipped =
        RunfilePath(absl::StrCat("benchmarks/sweeps/", name, ".textproto"));
    if (!shipped.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "there is no sweep '", name, "'; there are networks and ablations, or give a file"));
    }
    path = *shipped;
  }
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &sweep));
  OP3D_RETURN_IF_ERROR(CheckSweep(sweep, name));
  Sweep kept = sweep;
  kept.clear_variants();
  std::set<std::string> wanted;
  for (const absl::string_view word : absl::StrSplit(variants, ',', absl::SkipEmpty())) {
    wanted.emplace(word);
  }
  for (const Sweep::Variant& variant : sweep.variants()) {
    const bool named = wanted.erase(variant.name()) > 0;
    if (variants.empty() ? !(miniature && variant.only_full()) : named) {
      *kept.add_variants() = variant;
    }
  }
  if (!wanted.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--variants: the sweep ", name, " has no ",
                                                   *wanted.begin(), "; it has ",
                                                   absl::StrJoin(NamesOf(sweep), ", ")));
  }
  return kept;
}

void ApplyVariant(const Sweep& sweep, const Sweep::Variant& variant, SettingsRequest* request) {
  std::vector<std::string> assignments;
  const auto add = [&](const auto& level) {
    assignments.insert(assignments.end(), level.set().begin(), level.set().end());
    const auto& own = request->miniature ? level.miniature_set() : level.full_set();
    assignments.insert(assignments.end(), own.begin(), own.end());
    if (!level.method().empty()) request->method = level.method();
  };
  add(sweep);
  add(variant);
  request->assignments.insert(request->assignments.begin(), assignments.begin(), assignments.end());
  if (request->rivals.empty()) request->rivals = sweep.rivals();
  if (!variant.network_family().empty()) {
    request->network =
        absl::StrCat(variant.network_family(), request->miniature ? "_miniature" : "_resnet50");
  }
}

}  // namespace op3d::benchmarks
