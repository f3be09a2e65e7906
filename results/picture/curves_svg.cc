#include "results/picture/curves_svg.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "results/picture/axes.h"
#include "results/picture/graph_svg.h"
#include "results/record/format.h"

namespace op3d::results {
namespace {

constexpr double kPanelWidth = 264, kPanelHeight = 236, kGap = 14;
constexpr int kPanelsInRow = 4;
constexpr double kLegendHeight = 36;
// Margins of the plot inside a panel.
constexpr double kPlotLeft = 46, kPlotRight = 14, kPlotTop = 52, kPlotBottom = 62;

const StateSettings* FindState(const TransitionGraph& graph, const std::string& name) {
  for (const StateSettings& state : graph.states()) {
    if (state.name() == name) return &state;
  }
  return nullptr;
}

// Nothing was measured there; point 0 is the source's value.
bool Skipped(const CurvePoint& point) { return point.unmeasured() && point.epoch() > 0; }

// One panel's drawing: data, scales, picture.
class Panel {
 public:
  Panel(const SearchOutcome& search, const EdgeOutcome& edge, Point corner, Svg* picture)
      : search_(search), edge_(edge), corner_(corner), picture_(*picture) {
    trained_ = std::max(edge.curve_size() - 1, 0);
    x_ = {0, std::max(trained_ * 1.04, 1.0), corner.x + kPlotLeft,
          corner.x + kPanelWidth - kPlotRight};
    double low = 1, high = 0;
    for (const CurvePoint& point : edge.curve()) {
      if (Skipped(point)) continue;
      low = std::min(low, point.performance());
      high = std::max(high, point.performance());
    }
    for (int epoch = 0; edge.has_knee() && epoch <= trained_; ++epoch) {
      const double value = FittedValue(edge.knee(), epoch);
      if (!(value >= 0 && value <= 1)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    if (low > high) low = 0, high = 1;
    // At least five points of range, so that a flat curve looks flat.
    const double margin = std::max(0.12 * (high - low), (0.05 - (high - low)) / 2);
    low = std::max(0.0, low - margin);
    high = std::min(std::max(high + margin, low + 0.05), 1.0);
    y_ = {low, high, corner.y + kPanelHeight - kPlotBottom, corner.y + kPlotTop};
  }

  void Draw() {
    const bool on_path = OnPath(search_.plan(), edge_);
    picture_.Rectangle(
        corner_, kPanelWidth, kPanelHeight,
        ShapeStyle().Fill("#ffffff").Stroke(on_path ? kVermilion : kPale, on_path ? 3 : 1), 8);
    DrawTitle(on_path);
    DrawKept();
    DrawAxes();
    DrawBound();
    DrawFit();
    DrawPoints();
    DrawInterval();
    DrawKnee();
    DrawCaption();
  }

 private:
  void DrawTitle(bool on_path) {
    const std::string title = absl::StrCat(edge_.from(), " \xE2\x86\x92 ", edge_.to());
    // Names of a wide graph are long.
    const double size = EstimateTextWidth(title, 14) < kPanelWidth - 28 ? 14 : 11;
    picture_.Text({corner_.x + 14, corner_.y + 23}, title,
                  TextStyle(size).Bold().Fill(on_path ? kVermilion : kInk));
    // If there is no room for it, only the panel's frame shows it.
    if (on_path && EstimateTextWidth(title, size) < kPanelWidth - 140) {
      picture_.Text({corner_.x + kPanelWidth - 14, corner_.y + 23}, "on the plan's path",
                    TextStyle(11).Fill(kVermilion).Bold().End());
    }
    const StateSettings* state = FindState(search_.graph(), edge_.to());
    if (state == nullptr) return;
    picture_.Text(
        {corner_.x + 14, corner_.y + 40},
        absl::StrCat(FormatClip(*state), ", learning rate ", FormatNumber(state->learning_rate())),
        TextStyle(11.5).Fill(kGrey));
  }

  void DrawKept() {
    if (edge_.epochs() == 0) return;
    picture_.Rectangle({x_(0), y_.last}, x_(edge_.epochs()) - x_(0), y_.first - y_.last,
                       ShapeStyle().Fill("#e3f1fa"));
  }

  void DrawAxes() {
    const double step = TickStep(y_.high - y_.low, 5);
    const int decimals = step < 0.01 * (1 - 1e-9) ? 1 : 0;
    const int first = static_cast<int>(std::ceil(y_.low / step - 1e-9));
    for (int i = first; i * step <= y_.high + 1e-9; ++i) {
      const double tick = i * step;
      picture_.Line({x_.first, y_(tick)}, {x_.last, y_(tick)},
                    ShapeStyle().Stroke("#c8d0d8", 0.8).Dash("1 3"));
      picture_.Text({x_.first - 6, y_(tick) + 4}, FormatPercent(tick, decimals),
                    TextStyle(10.5).Fill(kGrey).End());
    }
    const double epochs = std::max(1.0, TickStep(x_.high, 6));
    for (double tick = 0; tick <= x_.high + 1e-9; tick += epochs) {
      picture_.Line({x_(tick), y_.first}, {x_(tick), y_.first + 4}, ShapeStyle().Stroke(kGrey));
      picture_.Text({x_(tick), y_.first + 16}, absl::StrFormat("%.0f", tick),
                    TextStyle(10.5).Fill(kGrey).Middle());
    }
    picture_.Line({x_.first, y_.first}, {x_.last, y_.first}, ShapeStyle().Stroke(kGrey));
    picture_.Line({x_.first, y_.first}, {x_.first, y_.last}, ShapeStyle().Stroke(kGrey));
    picture_.Text({(x_.first + x_.last) / 2, y_.first + 30}, "epochs",
                  TextStyle(10.5).Fill(kGrey).Middle());
    const Point label = {corner_.x + 15, (y_.first + y_.last) / 2};
    picture_.Text(label, "performance, %", TextStyle(10.5).Fill(kGrey).Middle().Rotate(-90));
  }

  // Nothing is drawn if the knee came first.
  void DrawBound() {
    if (edge_.ending() != EdgeOutcome::BOUND) return;
    picture_.Line({x_(trained_), y_.first}, {x_(trained_), y_.last}, ShapeStyle().Stroke(kInk, 3));
  }

  void DrawFit() {
    if (!edge_.has_knee() || trained_ == 0) return;
    std::vector<Point> points;
    for (int i = 0; i <= 80; ++i) {
      const double epoch = trained_ * i / 80.0;
      const double value = FittedValue(edge_.knee(), epoch);
      // A fit may leave the panel; those parts are not drawn.
      if (!(value >= y_.low && value <= y_.high)) continue;
      points.push_back({x_(epoch), y_(value)});
    }
    if (points.size() > 1) picture_.Polyline(points, ShapeStyle().Stroke(kBlue, 2));
  }

  void DrawPoints() {
    for (const CurvePoint& point : edge_.curve()) {
      if (Skipped(point)) continue;
      picture_.Circle({x_(point.epoch()), y_(point.performance())}, trained_ > 60 ? 1.6 : 2.8,
                      ShapeStyle().Fill("#ffffff").Stroke(kInk, 1.3));
    }
  }

  // A bar on the axis with upright ends; open to the right if it continues after the last epoch.
  void DrawInterval() {
    if (!edge_.knee().has_interval()) return;
    const double low = edge_.knee().interval().low(), high = edge_.knee().interval().high();
    if (low > x_.high) return;
    const double y = y_.first - 7;
    const ShapeStyle style = ShapeStyle().Stroke(kVermilion, 2).Opacity(0.75);
    picture_.Line({x_(low), y - 4}, {x_(low), y + 4}, style);
    if (high <= x_.high) {
      picture_.Line({x_(low), y}, {x_(high), y}, style);
      picture_.Line({x_(high), y - 4}, {x_(high), y + 4}, style);
    } else {
      picture_.Line({x_(low), y}, {x_.last - 6, y}, style);
      picture_.ArrowHead({x_(low), y}, {x_.last, y}, 8, kVermilion);
    }
  }

  void DrawKnee() {
    if (!edge_.has_knee() || edge_.knee().knee() > trained_) return;
    const double x = x_(edge_.knee().knee());
    const double y = y_(std::clamp(edge_.knee().value(), y_.low, y_.high));
    picture_.Line({x, y_.first}, {x, y}, ShapeStyle().Stroke(kVermilion, 1.5).Dash("4 3"));
    picture_.Polygon({{x, y - 7}, {x + 6, y}, {x, y + 7}, {x - 6, y}},
                     ShapeStyle().Fill(kVermilion).Stroke("#ffffff", 1));
  }

  void DrawCaption() {
    const double y = corner_.y + kPanelHeight - 12;
    picture_.Text({corner_.x + 14, y}, DescribeEnding(edge_), TextStyle(11).Fill(kGrey));
    if (!edge_.failure().empty()) return;  // it has no score
    picture_.Text({corner_.x + kPanelWidth - 14, y}, absl::StrFormat("%.3f", edge_.score()),
                  TextStyle(12).Bold().End());
  }

  const SearchOutcome& search_;
  const EdgeOutcome& edge_;
  const Point corner_;
  Svg& picture_;
  int trained_;
  Scale x_, y_;
};

// An explanation of a symbol: the symbol, at (x, y) of its left centre, and words.
struct LegendItem {
  double symbol_width;
  const char* words;
  void (*draw)(double x, double y, Svg* picture);

  double width() const { return symbol_width + 7 + EstimateTextWidth(words, 12) + 14; }
};

const std::vector<LegendItem>& Legend() {
  static const auto* const items = new std::vector<LegendItem>{
      {8, "measured after an epoch",
       [](double x, double y, Svg* picture) {
         picture->Circle({x + 4, y}, 3.2, ShapeStyle().Fill("#ffffff").Stroke(kInk, 1.3));
       }},
      {22, "fitted curve",
       [](double x, double y, Svg* picture) {
         picture->Line({x, y}, {x + 22, y}, ShapeStyle().Stroke(kBlue, 2));
       }},
      {12, "knee",
       [](double x, double y, Svg* picture) {
         picture->Polygon({{x + 6, y - 7}, {x + 12, y}, {x + 6, y + 7}, {x, y}},
                          ShapeStyle().Fill(kVermilion));
       }},
      {20, "its 95 % interval",
       [](double x, double y, Svg* picture) {
         const ShapeStyle style = ShapeStyle().Stroke(kVermilion, 2).Opacity(0.75);
         picture->Line({x, y}, {x + 20, y}, style);
         for (const double end : {0, 20}) {
           picture->Line({x + end, y - 4}, {x + end, y + 4}, style);
         }
       }},
      {18, "epochs kept",
       [](double x, double y, Svg* picture) {
         picture->Rectangle({x, y - 7}, 18, 14, ShapeStyle().Fill("#e3f1fa").Stroke("#b9d7ea"));
       }},
      {6, "bound on epochs",
       [](double x, double y, Svg* picture) {
         picture->Line({x + 2, y - 8}, {x + 2, y + 8}, ShapeStyle().Stroke(kInk, 3));
       }},
      {0, "performance as measured by the search; the scales differ", [](double, double, Svg*) {}}};
  return *items;
}

void DrawLegendItem(const LegendItem& item, Point at, Svg* picture) {
  item.draw(at.x, at.y, picture);
  picture->Text({at.x + item.symbol_width + 7, at.y + 4}, item.words, TextStyle(12).Fill(kGrey));
}

}  // namespace

double FittedValue(const KneeEstimate& fit, double epoch) {
  return -fit.a() * std::exp(-fit.b() * epoch) - fit.c() * epoch - fit.d() * epoch * epoch +
         fit.e();
}

std::string DescribeEnding(const EdgeOutcome& edge) {
  const int trained = std::max(edge.curve_size() - 1, 0);
  if (edge.ending() == EdgeOutcome::UNREACHED) return "not trained: its source is not reached";
  if (edge.ending() == EdgeOutcome::FAILED) {
    return absl::StrCat("training failed after ", FormatEpochs(trained));
  }
  if (edge.ending() == EdgeOutcome::PLATEAU_PASSED) {
    return absl::StrCat(FormatEpochs(trained), ", none better since ", edge.epochs());
  }
  if (!edge.has_knee()) return absl::StrCat(FormatEpochs(trained), ", no fit");
  const int knee = edge.knee().knee();
  if (edge.ending() == EdgeOutcome::OUTPACED) {
    return absl::StrCat(FormatEpochs(trained), ", outpaced by another edge");
  }
  if (edge.ending() == EdgeOutcome::INTERVAL_PASSED) {
    return absl::StrCat(FormatEpochs(trained), ", knee at ", knee, ", little left to gain");
  }
  if (edge.ending() != EdgeOutcome::BOUND) {
    return absl::StrCat(FormatEpochs(trained), ", knee at ", knee, " passed");
  }
  const std::string bound = absl::StrCat("bound at ", trained);
  return knee > trained ? absl::StrCat(bound, ", still rising")
                        : absl::StrCat(bound, ", knee at ", knee);
}

Svg DrawCurves(const SearchOutcome& search) {
  const int rows = (search.edges_size() + kPanelsInRow - 1) / kPanelsInRow;
  Svg picture(kPanelsInRow * kPanelWidth + (kPanelsInRow - 1) * kGap + 4,
              kLegendHeight + rows * (kPanelHeight + kGap),
              absl::StrCat("Performance curves of pool ", search.graph().pool()));
  double x = 4;
  for (const LegendItem& item : Legend()) {
    DrawLegendItem(item, {x, 16}, &picture);
    x += item.width();
  }
  for (int i = 0; i < search.edges_size(); ++i) {
    const int column = i % kPanelsInRow, row = i / kPanelsInRow;
    const Point corner = {2 + column * (kPanelWidth + kGap),
                          kLegendHeight + 2 + row * (kPanelHeight + kGap)};
    Panel(search, search.edges(i), corner, &picture).Draw();
  }
  return picture;
}

std::vector<Svg> DrawPanels(const SearchOutcome& search) {
  std::vector<Svg> panels;
  for (const EdgeOutcome& edge : search.edges()) {
    Svg picture(kPanelWidth + 4, kPanelHeight + 4,
                absl::StrCat("Performance from ", edge.from(), " to ", edge.to()));
    Panel(search, edge, {2, 2}, &picture).Draw();
    panels.push_back(std::move(picture));
  }
  return panels;
}

std::vector<Svg> DrawCurveLegend() {
  std::vector<Svg> items;
  for (const LegendItem& item : Legend()) {
    Svg picture(item.width(), 22, item.words);
    DrawLegendItem(item, {1, 11}, &picture);
    items.push_back(std::move(picture));
  }
  return items;
}

Svg DrawSearches(const google::protobuf::RepeatedPtrField<SearchOutcome>& searches) {
  constexpr double kMargin = 24, kTitle = 64;
  double width = 480, height = kMargin;
  std::vector<Svg> graphs, curves;
  for (const SearchOutcome& search : searches) {
    graphs.push_back(DrawGraph(search));
    curves.push_back(DrawCurves(search));
    width = std::max({width, graphs.back().width(), curves.back().width()});
    height += kTitle + graphs.back().height() + curves.back().height() + kMargin;
  }
  if (searches.empty()) height += kTitle;
  Svg picture(width + 2 * kMargin, height, "Searches: transition graphs and performance curves");
  picture.Rectangle({0, 0}, picture.width(), picture.height(), ShapeStyle().Fill("#ffffff"));
  if (searches.empty()) {
    picture.Text({kMargin, kMargin + 30}, "No search took place.", TextStyle(16));
  }
  double y = kMargin;
  for (int i = 0; i < searches.size(); ++i) {
    const SearchOutcome& search = searches.Get(i);
    picture.Text({kMargin, y + 26}, absl::StrCat("Pool ", search.graph().pool()),
                 TextStyle(22).Bold());
    const std::string plan = absl::StrCat("plan: ", FormatPlan(search.plan()), "  (frames @ ",
                                          "learning rate x epochs), value ",
                                          absl::StrFormat("%.3f", search.plan().value()));
    picture.Text({kMargin, y + 48}, plan, TextStyle(13).Fill(kGrey));
    y += kTitle;
    picture.Embed({kMargin, y}, graphs[i]);
    y += graphs[i].height();
    picture.Embed({kMargin, y}, curves[i]);
    y += curves[i].height() + kMargin;
  }
  return picture;
}

}  // namespace op3d::results
