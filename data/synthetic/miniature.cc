#include "data/synthetic/miniature.h"

#include "absl/strings/str_cat.h"

namespace op3d {
namespace {

using Motions = std::vector<std::vector<Motion>>;

// Appearance and short classes look alike but for the one thing that names them.
Miniature Kinetics400() {
  const std::vector<Look> common = {Look::kDisc, Look::kSquare};
  const std::vector<Scene> plain = {Scene::kPlain};
  const Motions any = {{Motion::kUp},   {Motion::kDown}, {Motion::kLeft}, {Motion::kRight},
                       {Motion::kFast}, {Motion::kSlow}, {Motion::kGrow}, {Motion::kShrink}};
  Miniature miniature;
  miniature.name = "kinetics400";
  miniature.classes = {
      {"bars", "appearance", common, {Scene::kBars}, any},
      {"checks", "appearance", common, {Scene::kChecks}, any},
      {"ring", "appearance", {Look::kRing}, plain, any},
      {"up", "short", common, plain, {{Motion::kUp}}},
      {"down", "short", common, plain, {{Motion::kDown}}},
      {"fast", "short", common, plain, {{Motion::kFast}}},
      {"slow", "short", common, plain, {{Motion::kSlow}}},
      {"up then down", "long", common, plain, {{Motion::kUp, Motion::kDown}}},
      {"down then up", "long", common, plain, {{Motion::kDown, Motion::kUp}}},
  };
  return miniature;
}

}  // namespace

absl::StatusOr<Miniature> FindMiniature(absl::string_view name) {
  if (name == "kinetics400") return Kinetics400();
  return absl::NotFoundError(
      absl::StrCat("there is no miniature of \"", name, "\"; there is one of kinetics400"));
}

}  // namespace op3d
