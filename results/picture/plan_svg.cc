#include "results/picture/plan_svg.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "results/record/format.h"

namespace op3d::results {
namespace {

constexpr double kBoxWidth = 186, kBoxHeight = 122, kGap = 40, kRowGap = 26, kMargin = 4;

void DrawStep(const Plan::Step& step, double share, Point corner, Svg* picture) {
  picture->Rectangle(corner, kBoxWidth, kBoxHeight,
                     ShapeStyle().Fill("#f5f7f9").Stroke("#aab4be", 1.2), 8);
  const double x = corner.x + 14;
  picture->Text({x, corner.y + 26}, FormatClip(step.state()), TextStyle(15).Bold());
  picture->Text({x, corner.y + 44}, step.state().name(), TextStyle(12).Fill(kGrey));
  picture->Text({x, corner.y + 66}, absl::StrCat("rate ", FormatLearningRate(step.state())),
                TextStyle(13));
  picture->Text({x, corner.y + 88}, FormatEpochs(step.epochs()), TextStyle(13).Fill(kBlue).Bold());
  picture->Rectangle({x, corner.y + 100}, kBoxWidth - 28, 8, ShapeStyle().Fill("#dfe5ea"), 4);
  picture->Rectangle({x, corner.y + 100}, std::max(4.0, share * (kBoxWidth - 28)), 8,
                     ShapeStyle().Fill(kBlue), 4);
}

}  // namespace

Svg DrawPlan(const Plan& plan, int boxes_in_row) {
  const int boxes = std::max(plan.steps_size(), 1);
  const int in_row = std::min(boxes, boxes_in_row), rows = (boxes + in_row - 1) / in_row;
  Svg picture(2 * kMargin + in_row * kBoxWidth + (in_row - 1) * kGap,
              2 * kMargin + rows * kBoxHeight + (rows - 1) * kRowGap,
              absl::StrCat("Plan: ", FormatPlan(plan)));
  if (plan.steps().empty()) {
    picture.Text({kMargin, 30}, "The plan trains nothing.", TextStyle(14));
    return picture;
  }
  double epochs = 0;
  for (const Plan::Step& step : plan.steps()) epochs += step.epochs();
  for (int i = 0; i < plan.steps_size(); ++i) {
    const int column = i % in_row, row = i / in_row;
    const Point corner = {kMargin + column * (kBoxWidth + kGap),
                          kMargin + row * (kBoxHeight + kRowGap)};
    DrawStep(plan.steps(i), epochs > 0 ? plan.steps(i).epochs() / epochs : 0, corner, &picture);
    if (i % in_row == 0) continue;
    const Point from = {corner.x - kGap + 5, corner.y + kBoxHeight / 2};
    const Point to = {corner.x - 5, from.y};
    picture.Line(from, {to.x - 8, to.y}, ShapeStyle().Stroke(kGrey, 2.5));
    picture.ArrowHead(from, to, 13, kGrey);
  }
  return picture;
}

}  // namespace op3d::results
