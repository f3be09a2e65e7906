// What a run found, in a sentence, and what to keep in mind.
//
//   Headline(record);
//   // "On the miniature of Kinetics-400 the planned recipe reached 93.0 % top-1, 6.7 points more
//   //  than the hand-tuned one (86.3 %) on equally many frames."
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

// One sentence of plain text: what was compared, and the difference.
std::string Headline(const RunRecord& record);

// Sentences of plain text: any other recipe that is ahead of the plan, how far chance reaches, and
// of a miniature that it is one.  "" when nothing has been tested.
std::string Caution(const RunRecord& record);

// One standard error of a share over `videos` videos: sqrt(p (1 - p) / n), 0 without videos.
double StandardError(double share, int videos);

}  // namespace op3d

#endif  // OP3D_RESULTS_HEADLINE_H_
