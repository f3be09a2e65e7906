// What a run found, in a sentence, and what to keep in mind.
//
//   Headline(record);
//   // "On the miniature of Kinetics-400 the planned model reached 95.9 % top-1, 1.1 points
//   //  more than the strongest rival, one long run (94.8 %) at equal total frames: ahead, but
//   //  within the noise (95 %: -0.9 to +3.1 points)."
#ifndef OP3D_RESULTS_RECORD_HEADLINE_H_
#define OP3D_RESULTS_RECORD_HEADLINE_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// The row that was planned; null when there is none.  Of rows with roles the search's model before
// the plan trained again, the planned method before the published one.
const RecipeResult* PlannedRecipe(const RunRecord& record);

// What it is held against; null when there is none.  Of rows with roles the strongest rival
// (roles.h).  Otherwise the first hand-tuned recipe that was trained on equally many frames, or
// else the first recipe other than the planned one.
const RecipeResult* BaselineRecipe(const RunRecord& record);

// One sentence of plain text: what was compared, and the difference.  Of rows with roles also
// whether it is more than chance: more than 1.96 standard errors over the test videos.
std::string Headline(const RunRecord& record);

// Sentences of plain text: any other recipe that is ahead of the plan, how far chance reaches, and
// of a miniature that it is one.  "" when nothing has been tested.
std::string Caution(const RunRecord& record);

// One standard error of a share over `videos` videos: sqrt(p (1 - p) / n), 0 without videos.
double StandardError(double share, int videos);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_HEADLINE_H_
