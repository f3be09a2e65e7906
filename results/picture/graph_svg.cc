#include "results/picture/graph_svg.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "results/record/format.h"

namespace op3d::results {
namespace {

constexpr double kBoxWidth = 156, kBoxHeight = 66;
constexpr double kColumn = 272, kRow = 136;
constexpr double kLeft = 72, kTop = 176, kBottom = 116;
// Room for the legend below the grid needs at least three columns.
constexpr int kLeastColumns = 3;

// The centre of every state's box.
struct Layout {
  std::map<std::string, Point> centres;
  int columns = 0;
  int rows = 0;

  double width() const { return kLeft + std::max(columns, kLeastColumns) * kColumn - 60; }
  double height() const { return kTop + rows * kRow - (kRow - kBoxHeight) + kBottom; }
};

Layout MakeLayout(const TransitionGraph& graph) {
  std::map<int64_t, std::vector<const StateSettings*>> by_length;
  for (const StateSettings& state : graph.states()) by_length[ClipLength(state)].push_back(&state);
  Layout layout;
  for (auto& [length, states] : by_length) {
    std::stable_sort(states.begin(), states.end(),
                     [](const StateSettings* a, const StateSettings* b) {
                       return a->learning_rate() > b->learning_rate();
                     });
    for (size_t row = 0; row < states.size(); ++row) {
      layout.centres[states[row]->name()] = {kLeft + kBoxWidth / 2 + layout.columns * kColumn,
                                             kTop + kBoxHeight / 2 + row * kRow};
    }
    layout.rows = std::max(layout.rows, static_cast<int>(states.size()));
    ++layout.columns;
  }
  // The initial state stands above, in the middle of where one can go from it.
  double sum = 0;
  int targets = 0;
  for (const Transition& transition : graph.transitions()) {
    const auto target = layout.centres.find(transition.to());
    if (transition.from() != graph.initial() || target == layout.centres.end()) continue;
    sum += target->second.x;
    ++targets;
  }
  layout.centres[graph.initial()] = {targets > 0 ? sum / targets : kLeft + kBoxWidth / 2, 62};
  return layout;
}

// Where the way from the box at `from` to `to` leaves the box.
Point LeaveBox(Point from, Point to, double half_width, double half_height) {
  const double x = to.x - from.x, y = to.y - from.y;
  const double reach = std::max(std::fabs(x) / half_width, std::fabs(y) / half_height);
  if (!(reach > 0)) return from;
  return {from.x + x / reach, from.y + y / reach};
}

struct EdgeStyle {
  std::string colour;
  double width;
  std::string dash;
};

EdgeStyle StyleOf(const EdgeOutcome* edge, bool on_path, bool best) {
  if (edge == nullptr || !edge->failure().empty()) return {kPale, 1.5, "2 4"};
  // A skipped state's arrow is dashed: nothing is trained there.
  const std::string dash = edge->epochs() == 0 ? "7 4" : "";
  if (on_path) return {kVermilion, 5, dash};
  return best ? EdgeStyle{kGrey, 2, dash} : EdgeStyle{"#aab4be", 1.2, dash};
}

// The arrow's points: straight, or bent where a straight one would run through boxes between.
std::vector<Point> Route(Point from, Point to) {
  const double x = to.x - from.x, y = to.y - from.y;
  const bool along_row = y == 0 && std::fabs(x) > 1.5 * kColumn;
  const bool along_column = x == 0 && std::fabs(y) > 1.5 * kRow;
  if (!along_row && !along_column) {
    return {LeaveBox(from, to, kBoxWidth / 2 + 3, kBoxHeight / 2 + 3),
            LeaveBox(to, from, kBoxWidth / 2 + 4, kBoxHeight / 2 + 4)};
  }
  const Point control = along_row ? Point{(from.x + to.x) / 2, from.y - 1.3 * kRow}
                                  : Point{from.x + 0.9 * kColumn, (from.y + to.y) / 2};
  const Point start = LeaveBox(from, control, kBoxWidth / 2 + 3, kBoxHeight / 2 + 3);
  const Point end = LeaveBox(to, control, kBoxWidth / 2 + 4, kBoxHeight / 2 + 4);
  std::vector<Point> points;
  for (int i = 0; i <= 24; ++i) {
    const double t = i / 24.0, u = 1 - t;
    points.push_back({u * u * start.x + 2 * u * t * control.x + t * t * end.x,
                      u * u * start.y + 2 * u * t * control.y + t * t * end.y});
  }
  return points;
}

void DrawArrow(std::vector<Point> points, const EdgeStyle& style, Svg* picture) {
  const double head = 8 + 1.6 * style.width;
  const Point tip = points.back(), before = points[points.size() - 2];
  const double length = std::hypot(tip.x - before.x, tip.y - before.y);
  // The line ends inside the head, so that its square end does not stand beside the tip.
  if (points.size() == 2 && length > head) {
    const double keep = (length - 0.8 * head) / length;
    points.back() = {before.x + keep * (tip.x - before.x), before.y + keep * (tip.y - before.y)};
  }
  picture->Polyline(points, ShapeStyle().Stroke(style.colour, style.width).Dash(style.dash));
  picture->ArrowHead(before, tip, head, style.colour);
}

void DrawLabel(const std::vector<Point>& points, const EdgeOutcome& edge, bool on_path,
               Svg* picture) {
  const Point from = points.front(), to = points.back();
  Point middle = points.size() > 2 ? points[points.size() / 2]
                                   : Point{(from.x + to.x) / 2, (from.y + to.y) / 2};
  const bool flat = std::fabs(to.y - from.y) < 1;
  const bool upright = std::fabs(to.x - from.x) < 1;
  TextStyle score = TextStyle(13).Bold().Fill(on_path ? kVermilion : kInk).Halo();
  TextStyle epochs = TextStyle(11).Fill(kGrey).Halo();
  const bool failed = edge.ending() == EdgeOutcome::FAILED;
  const std::string kept = edge.ending() == EdgeOutcome::UNREACHED ? "not trained"
                           : edge.epochs() == 0                    ? "skipped"
                                                                   : FormatEpochs(edge.epochs());
  const std::string ending = edge.ending() == EdgeOutcome::BOUND ? absl::StrCat(kept, " *") : kept;
  double above = middle.y - 2, below = middle.y + 12;
  if (flat) above = middle.y - 10, below = middle.y + 19;
  if (upright) {
    middle.x += 11;
  } else if (flat) {
    score.Middle(), epochs.Middle();
  } else {
    // To the right of a slanting arrow: left of it stand the labels of the upright ones.
    middle.x += to.x > from.x ? 28 : 14;
    above += 9, below += 9;
  }
  if (failed) {
    picture->Text({middle.x, below}, "failed", epochs);
    return;
  }
  if (edge.failure().empty()) {
    picture->Text({middle.x, above}, absl::StrFormat("%.3f", edge.score()), score);
  }
  picture->Text({middle.x, below}, ending, epochs);
}

void DrawState(const StateSettings& state, Point centre, bool on_path, bool final,
               const double* value, Svg* picture) {
  const Point corner = {centre.x - kBoxWidth / 2, centre.y - kBoxHeight / 2};
  picture->Rectangle(corner, kBoxWidth, kBoxHeight,
                     ShapeStyle()
                         .Fill(on_path ? "#fdf1e7" : "#f5f7f9")
                         .Stroke(on_path ? kVermilion : "#aab4be", on_path ? 2.5 : 1.2),
                     8);
  if (final) {
    picture->Rectangle({corner.x + 4, corner.y + 4}, kBoxWidth - 8, kBoxHeight - 8,
                       ShapeStyle().Stroke(on_path ? kVermilion : "#aab4be", 1), 5);
  }
  picture->Text({corner.x + 12, corner.y + 24}, state.name(), TextStyle(15).Bold());
  if (value != nullptr) {
    // Beside the name, or below it where the name is long.
    const bool fits = EstimateTextWidth(state.name(), 15) < kBoxWidth - 70;
    picture->Text({corner.x + kBoxWidth - 12, corner.y + (fits ? 24 : 41)},
                  absl::StrFormat("%.3f", *value),
                  TextStyle(13).End().Fill(on_path ? kVermilion : kGrey).Bold());
  }
  picture->Text({corner.x + 12, corner.y + 41}, FormatClip(state), TextStyle(11.5));
  picture->Text({corner.x + 12, corner.y + 56},
                absl::StrCat("learning rate ", FormatNumber(state.learning_rate())),
                TextStyle(11.5).Fill(kGrey));
}

void DrawInitial(const std::string& name, Point centre, Svg* picture) {
  picture->Rectangle({centre.x - kBoxWidth / 2, centre.y - 24}, kBoxWidth, 48,
                     ShapeStyle().Fill("#fdf1e7").Stroke(kVermilion, 2.5), 24);
  picture->Text({centre.x, centre.y - 2}, name, TextStyle(15).Bold().Middle());
  picture->Text({centre.x, centre.y + 14}, "initial weights", TextStyle(11.5).Fill(kGrey).Middle());
}

void DrawAxes(const Layout& layout, Svg* picture) {
  const double left = kLeft - 34;
  const double right = kLeft + (layout.columns - 1) * kColumn + kBoxWidth;
  const double bottom = kTop + (layout.rows - 1) * kRow + kBoxHeight + 30;
  const ShapeStyle line = ShapeStyle().Stroke("#aab4be", 1.2);
  picture->Line({left, kTop}, {left, bottom}, line);
  picture->ArrowHead({left, kTop}, {left, bottom + 2}, 9, "#aab4be");
  picture->Text({left - 8, (kTop + bottom) / 2}, "lower learning rates",
                TextStyle(12).Fill(kGrey).Middle().Rotate(-90));
  picture->Line({kLeft, bottom}, {right, bottom}, line);
  picture->ArrowHead({kLeft, bottom}, {right + 2, bottom}, 9, "#aab4be");
  picture->Text({(kLeft + right) / 2, bottom + 16}, "longer clips",
                TextStyle(12).Fill(kGrey).Middle());
}

void DrawLegend(double y, Svg* picture) {
  double x = kLeft;
  const auto entry = [&](const EdgeStyle& style, const char* text) {
    DrawArrow({{x, y}, {x + 36, y}}, style, picture);
    picture->Text({x + 44, y + 4}, text, TextStyle(11.5).Fill(kGrey));
    x += 44 + EstimateTextWidth(text, 11.5) + 20;
  };
  entry({kVermilion, 5, ""}, "the plan's way");
  entry({kGrey, 2, ""}, "best way into a state");
  entry({"#aab4be", 1.2, ""}, "other way");
  entry({kGrey, 2, "7 4"}, "state skipped (knee at 0)");
  picture->Text({kLeft, y + 24},
                "Bold figures: score of the edge, value of the state.  "
                "* the bound on epochs came before the knee was passed.",
                TextStyle(11.5).Fill(kGrey));
}

bool IsInPath(const Plan& plan, const std::string& state) {
  return std::find(plan.path().begin(), plan.path().end(), state) != plan.path().end();
}

const EdgeOutcome* FindEdge(const SearchOutcome& search, const Transition& transition) {
  for (const EdgeOutcome& edge : search.edges()) {
    if (edge.from() == transition.from() && edge.to() == transition.to()) return &edge;
  }
  return nullptr;
}

void DrawStates(const SearchOutcome& search, const Layout& layout, Svg* picture) {
  const TransitionGraph& graph = search.graph();
  for (const StateSettings& state : graph.states()) {
    const double* value = nullptr;
    double found = 0;
    for (const NodeOutcome& node : search.nodes()) {
      if (node.state() == state.name()) found = node.value(), value = &found;
    }
    const bool final = std::find(graph.finals().begin(), graph.finals().end(), state.name()) !=
                       graph.finals().end();
    DrawState(state, layout.centres.at(state.name()), IsInPath(search.plan(), state.name()), final,
              value, picture);
  }
  DrawInitial(graph.initial(), layout.centres.at(graph.initial()), picture);
}

SearchOutcome OnlyTrained(const SearchOutcome& searched) {
  SearchOutcome search = searched;
  TransitionGraph& graph = *search.mutable_graph();
  graph.clear_states();
  graph.clear_transitions();
  graph.clear_finals();
  std::set<std::string> reached;
  for (const Transition& transition : searched.graph().transitions()) {
    if (FindEdge(searched, transition) == nullptr) continue;
    *graph.add_transitions() = transition;
    reached.insert(transition.to());
  }
  for (const StateSettings& state : searched.graph().states()) {
    if (reached.count(state.name()) > 0) *graph.add_states() = state;
  }
  for (const std::string& name : searched.graph().finals()) {
    if (reached.count(name) > 0) graph.add_finals(name);
  }
  return search;
}

}  // namespace

bool OnPath(const Plan& plan, const EdgeOutcome& edge) {
  for (int i = 0; i + 1 < plan.path_size(); ++i) {
    if (plan.path(i) == edge.from() && plan.path(i + 1) == edge.to()) return true;
  }
  return false;
}

Svg DrawGraph(const SearchOutcome& searched) {
  // Of a search in rounds, what was trained: most of its graph was not.
  const SearchOutcome search =
      searched.graph().rounds().empty() ? searched : OnlyTrained(searched);
  const TransitionGraph& graph = search.graph();
  const Layout layout = MakeLayout(graph);
  Svg picture(layout.width(), layout.height(),
              absl::StrCat("Transition graph of pool ", graph.pool()));
  DrawAxes(layout, &picture);
  std::map<std::string, std::string> best_source;
  for (const NodeOutcome& node : search.nodes()) best_source[node.state()] = node.from();
  // All lines first, then all labels, so that no line runs over a label.
  std::vector<std::pair<std::vector<Point>, const EdgeOutcome*>> labels;
  for (const Transition& transition : graph.transitions()) {
    const auto from = layout.centres.find(transition.from());
    const auto to = layout.centres.find(transition.to());
    if (from == layout.centres.end() || to == layout.centres.end()) continue;
    const EdgeOutcome* edge = FindEdge(search, transition);
    const bool on_path = edge != nullptr && OnPath(search.plan(), *edge);
    const bool best = best_source[transition.to()] == transition.from();
    const std::vector<Point> points = Route(from->second, to->second);
    DrawArrow(points, StyleOf(edge, on_path, best), &picture);
    if (edge != nullptr) labels.emplace_back(points, edge);
  }
  for (const auto& [points, edge] : labels) {
    DrawLabel(points, *edge, OnPath(search.plan(), *edge), &picture);
  }
  DrawStates(search, layout, &picture);
  DrawLegend(layout.height() - 40, &picture);
  return picture;
}

}  // namespace op3d::results
