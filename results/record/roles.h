// What the rows of a record stand for, and which of them are held against each other.
//
//   RoleTitle(RecipeResult::BEST_FIXED);             // "best of the fixed schedules"
//   const RecipeResult* rival = StrongestRival(record);
#ifndef OP3D_RESULTS_RECORD_ROLES_H_
#define OP3D_RESULTS_RECORD_ROLES_H_

#include <cstdint>
#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// Plain words: "planned: the search's model"; "" for ROLE_UNSPECIFIED.
std::string RoleTitle(RecipeResult::Role role);

// For programs: "planned_model"; "" for ROLE_UNSPECIFIED.
std::string RoleKey(RecipeResult::Role role);

// What tables call the row: its title, without one its role's, without that its name.
std::string RowTitle(const RecipeResult& recipe);

// Does any row say what it stands for?  Records that are older than roles do not.
bool HasRoles(const RunRecord& record);

// Frames trained on until the row's model was there, the search and all candidates included.
int64_t TotalFrames(const RecipeResult& recipe);

// The first row with the role that has been tested; null when there is none.
const RecipeResult* TestedRow(const RunRecord& record, RecipeResult::Role role);

// What a user could have had instead for the same frames: of the tested rows BEST_FIXED, LONG_RUN,
// HAND_TUNED and MULTIGRID the one with the highest top-1, of equal ones the first.  Null when
// there is none.
const RecipeResult* StrongestRival(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_ROLES_H_
