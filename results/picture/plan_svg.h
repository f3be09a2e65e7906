// A plan as a picture: its states in order with clips, learning rates and epochs.
//
//   page += DrawPlan(record.plan()).ToInline();
#ifndef OP3D_RESULTS_PICTURE_PLAN_SVG_H_
#define OP3D_RESULTS_PICTURE_PLAN_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// `in_row` states in a row, at least 1; two fit a phone.  The bar in each box is its share of the
// plan's epochs.
Svg DrawPlan(const Plan& plan, int in_row = 5);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_PLAN_SVG_H_
