#include "results/record/roles.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace op3d::results {

std::string RoleTitle(RecipeResult::Role role) {
  switch (role) {
    case RecipeResult::PLANNED_MODEL:
      return "planned: the search's model";
    case RecipeResult::PLANNED_AGAIN:
      return "planned: trained again";
    case RecipeResult::PUBLISHED_MODEL:
      return "published method: the search's model";
    case RecipeResult::PUBLISHED_AGAIN:
      return "published method: trained again";
    case RecipeResult::HAND_TUNED:
      return "hand-tuned, published";
    case RecipeResult::BEST_FIXED:
      return "best of the fixed schedules";
    case RecipeResult::FIXED:
      return "fixed schedule";
    case RecipeResult::LONG_RUN:
      return "one long run";
    case RecipeResult::MULTIGRID:
      return "multigrid";
    default:
      return "";
  }
}

std::string RoleKey(RecipeResult::Role role) {
  return role == RecipeResult::ROLE_UNSPECIFIED
             ? ""
             : absl::AsciiStrToLower(RecipeResult::Role_Name(role));
}

std::string RowTitle(const RecipeResult& recipe) {
  if (!recipe.title().empty()) return recipe.title();
  const std::string title = RoleTitle(recipe.role());
  return title.empty() ? recipe.name() : title;
}

bool HasRoles(const RunRecord& record) {
  return std::any_of(
      record.recipes().begin(), record.recipes().end(),
      [](const RecipeResult& recipe) { return recipe.role() != RecipeResult::ROLE_UNSPECIFIED; });
}

int64_t TotalFrames(const RecipeResult& recipe) {
  return recipe.total_frames() > 0 ? recipe.total_frames() : recipe.frames();
}

const RecipeResult* TestedRow(const RunRecord& record, RecipeResult::Role role) {
  for (const RecipeResult& recipe : record.recipes()) {
    if (recipe.role() == role && recipe.has_test()) return &recipe;
  }
  return nullptr;
}

const RecipeResult* StrongestRival(const RunRecord& record) {
  const RecipeResult* strongest = nullptr;
  for (const RecipeResult& recipe : record.recipes()) {
    const bool rival =
        recipe.role() == RecipeResult::BEST_FIXED || recipe.role() == RecipeResult::LONG_RUN ||
        recipe.role() == RecipeResult::HAND_TUNED || recipe.role() == RecipeResult::MULTIGRID;
    if (!rival || !recipe.has_test()) continue;
    if (strongest == nullptr || recipe.test().top1() > strongest->test().top1()) {
      strongest = &recipe;
    }
  }
  return strongest;
}

}  // namespace op3d::results
