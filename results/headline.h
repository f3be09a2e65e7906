// What a run found, in two or three sentences.
//
//   Headline(record);
//   // "On the miniature of Kinetics-400 the planned recipe reached 93.0 % top-1, 6.7 points more
//   //  than ..."
#ifndef OP3D_RESULTS_HEADLINE_H_
#define OP3D_RESULTS_HEADLINE_H_

#include <string>

#include "results/run_record.pb.h"

namespace op3d {

// The recipe that was planned; null when there is none.
const RecipeResult* PlannedRecipe(const RunRecord& record);

// The hand-tuned recipe it is held against: the first that was trained on equally many frames, or
// else the first other than the planned one; null when there is none.
const RecipeResult* BaselineRecipe(const RunRecord& record);

// Plain text.  Says what was compared and how far chance reaches; names any other recipe that is
// ahead of the plan; says of a miniature that it is one.
std::string Headline(const RunRecord& record);

// One standard error of a share over `videos` videos: sqrt(p (1 - p) / n), 0 without videos.
double StandardError(double share, int videos);

}  // namespace op3d

#endif  // OP3D_RESULTS_HEADLINE_H_
