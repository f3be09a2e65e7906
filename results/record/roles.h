// The roles of a record's rows, and which of them are compared with each other.
//
//   RoleTitle(RecipeResult::BEST_FIXED);             // "best of the fixed schedules"
//   const RecipeResult* rival = StrongestRival(record);
#ifndef OP3D_RESULTS_RECORD_ROLES_H_
#define OP3D_RESULTS_RECORD_ROLES_H_

#include <cstdint>
#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// For people: "planned: the search's model"; "" for ROLE_UNSPECIFIED.
std::string RoleTitle(RecipeResult::Role role);

// For programs: "planned_model"; "" for ROLE_UNSPECIFIED.
std::string RoleKey(RecipeResult::Role role);

// The row's name in tables: its title, otherwise its role's, otherwise its name.
std::string RowTitle(const RecipeResult& recipe);

// Whether any row has a role.  Older records have none.
bool HasRoles(const RunRecord& record);

// Frames trained until the row's model existed, including the search and all candidates.
int64_t TotalFrames(const RecipeResult& recipe);

// The first tested row with the role; null if there is none.
const RecipeResult* TestedRow(const RunRecord& record, RecipeResult::Role role);

// What a user could have trained instead with the same frames: of the tested rows BEST_FIXED,
// LONG_RUN, HAND_TUNED and MULTIGRID the one with the highest top-1, the first among equal ones.
// Null if there is none.
const RecipeResult* StrongestRival(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_ROLES_H_
