// The result of a run in one sentence, and its caveats.
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

// The planned row; null if there is none.  If rows have roles, the search's model is preferred to
// the plan trained again, and the planned method to the published one.
const RecipeResult* PlannedRecipe(const RunRecord& record);

// The row to compare it with; null if there is none.  If rows have roles, the strongest rival
// (roles.h).  Otherwise the first hand-tuned recipe that was trained on equally many frames, or
// the first recipe other than the planned one.
const RecipeResult* BaselineRecipe(const RunRecord& record);

// One sentence of plain text: what was compared, and the difference.  If rows have roles, also
// whether it is more than chance: more than 1.96 standard errors over the test videos.
std::string Headline(const RunRecord& record);

// Sentences of plain text: other recipes that are ahead of the plan, the size of chance
// differences, and whether it is a miniature.  "" if nothing has been tested.
std::string Caution(const RunRecord& record);

// One standard error of a share over `videos` videos: sqrt(p (1 - p) / n), 0 without videos.
double StandardError(double share, int videos);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_HEADLINE_H_
