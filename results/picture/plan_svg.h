// A plan as a picture: its states in order with clips, learning rates and epochs.
//
//   page += DrawPlan(record.plan()).ToInline();
#ifndef OP3D_RESULTS_PICTURE_PLAN_SVG_H_
#define OP3D_RESULTS_PICTURE_PLAN_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// Five states in a row.  The bar in each box is its share of the plan's epochs.
Svg DrawPlan(const Plan& plan);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_PLAN_SVG_H_
