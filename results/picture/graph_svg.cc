#include "results/picture/graph_svg.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
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
// The legend below the grid needs at least three columns.
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
  // The initial state is above, centred over the states that it leads to.
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

// The point where the line from the box at `from` to `to` leaves the box.
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

// The arrow's points: straight, or bent if a straight one would cross boxes in between.
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
  // The line ends inside the head, so that its square end is hidden by the tip.
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
    // To the right of a slanting arrow, because the labels of upright ones are to the left.
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

// The box of a state; double where a plan may end.
void DrawBox(Point corner, double width, double height, bool on_path, bool final, Svg* picture) {
  const char* colour = on_path ? kVermilion : "#aab4be";
  picture->Rectangle(
      corner, width, height,
      ShapeStyle().Fill(on_path ? "#fdf1e7" : "#f5f7f9").Stroke(colour, on_path ? 2.5 : 1.2), 8);
  if (!final) return;
  picture->Rectangle({corner.x + 4, corner.y + 4}, width - 8, height - 8,
                     ShapeStyle().Stroke(colour, 1), 5);
}

void DrawState(const StateSettings& state, Point centre, bool on_path, bool final,
               const double* value, Svg* picture) {
  const Point corner = {centre.x - kBoxWidth / 2, centre.y - kBoxHeight / 2};
  DrawBox(corner, kBoxWidth, kBoxHeight, on_path, final, picture);
  picture->Text({corner.x + 12, corner.y + 24}, state.name(), TextStyle(15).Bold());
  if (value != nullptr) {
    // Next to the name, or below it if the name is long.
    const bool fits = EstimateTextWidth(state.name(), 15) < kBoxWidth - 70;
    picture->Text({corner.x + kBoxWidth - 12, corner.y + (fits ? 24 : 41)},
                  absl::StrFormat("%.3f", *value),
                  TextStyle(13).End().Fill(on_path ? kVermilion : kGrey).Bold());
  }
  picture->Text({corner.x + 12, corner.y + 41}, FormatClip(state), TextStyle(11.5));
  picture->Text({corner.x + 12, corner.y + 56}, absl::StrCat("rate ", FormatLearningRate(state)),
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
  entry({kVermilion, 5, ""}, "the plan's path");
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

// ---------------------------------------------------------------- a search in rounds

constexpr double kCardWidth = 164, kCardHeight = 82, kCardColumn = 188, kCardRow = 100;
constexpr double kBandLeft = 104, kBandTop = 20, kBandGap = 44;

// A trained state of a search in rounds, and the best of its edges.
struct Card {
  const StateSettings* state;
  const EdgeOutcome* best;
  int round;
  bool lowest = false;  // no other card of its round is below it
  Point corner = {};
};

bool Succeeded(const EdgeOutcome& edge) {
  return edge.failure().empty() && edge.ending() != EdgeOutcome::UNREACHED;
}

// The trained states, round by round.  Cards of one clip are in one column; those of one round stand
// there one below the other, higher learning rates first.  `band_tops`: where each round begins.
std::vector<Card> MakeCards(const SearchOutcome& search, std::vector<double>* band_tops,
                            double* width, double* bottom) {
  std::map<std::string, const StateSettings*> states;
  for (const StateSettings& state : search.graph().states()) states[state.name()] = &state;
  std::map<std::string, Card> by_name;
  for (const Transition& transition : search.graph().transitions()) {
    const EdgeOutcome* edge = FindEdge(search, transition);
    const auto state = states.find(transition.to());
    if (edge == nullptr || state == states.end()) continue;
    Card& card =
        by_name.insert({transition.to(), {state->second, edge, transition.round()}}).first->second;
    const bool better =
        Succeeded(*edge) && (!Succeeded(*card.best) || edge->score() > card.best->score());
    if (better) card.best = edge;
  }
  std::vector<Card> cards;
  for (const auto& [name, card] : by_name) cards.push_back(card);
  std::stable_sort(cards.begin(), cards.end(), [](const Card& a, const Card& b) {
    return a.state->learning_rate() > b.state->learning_rate();
  });
  // Columns: shorter clips first, consecutive ones before uniform ones.
  const auto clip = [](const Card& card) {
    const StateSettings& state = *card.state;
    return std::make_tuple(ClipLength(state), state.segments(), state.stride(), state.crop());
  };
  std::map<decltype(clip(cards[0])), int> columns;
  for (const Card& card : cards) columns[clip(card)] = 0;
  int column = 0;
  for (auto& [key, number] : columns) number = column++;
  // Each round's cards in each column, and the most of a column.
  std::map<int, std::map<int, std::vector<Card*>>> rounds;
  for (Card& card : cards) rounds[card.round][columns[clip(card)]].push_back(&card);
  double top = kBandTop;
  for (auto& [round, stacks] : rounds) {
    band_tops->push_back(top);
    size_t rows = 0;
    for (auto& [number, stack] : stacks) {
      rows = std::max(rows, stack.size());
      for (size_t row = 0; row < stack.size(); ++row) {
        stack[row]->corner = {kBandLeft + number * kCardColumn, top + row * kCardRow};
      }
      stack.back()->lowest = true;
    }
    top += rows * kCardRow + kBandGap;
  }
  *width = kBandLeft + std::max(column, 4) * kCardColumn;
  *bottom = top - kBandGap;
  return cards;
}

void DrawCard(const Card& card, bool on_path, bool final, Svg* picture) {
  DrawBox(card.corner, kCardWidth, kCardHeight, on_path, final, picture);
  const double x = card.corner.x + 12, y = card.corner.y;
  const std::string score = Succeeded(*card.best) ? absl::StrFormat("%.3f", card.best->score())
                            : card.best->ending() == EdgeOutcome::UNREACHED ? "not trained"
                                                                            : "failed";
  picture->Text({x, y + 23}, FormatClip(*card.state), TextStyle(14).Bold());
  picture->Text({card.corner.x + kCardWidth - 12, y + 23}, score,
                TextStyle(13).End().Fill(on_path ? kVermilion : kGrey).Bold());
  picture->Text({x, y + 41}, absl::StrCat("rate ", FormatLearningRate(*card.state)),
                TextStyle(11.5));
  picture->Text({x, y + 55}, FormatEpochs(card.best->epochs()), TextStyle(11.5));
  picture->Text({x, y + 69}, card.state->name(), TextStyle(10.5).Fill(kGrey));
}

// From a card to one of a later round: down (through the gap next to its column if its round has a
// card below it), then along the gap above the later round.
std::vector<Point> RouteDown(const Card& from, const Card& to, double shift) {
  const Point end = {to.corner.x + kCardWidth / 2 + shift, to.corner.y - 3};
  const double lane = to.corner.y - kBandGap / 2 + shift;
  const double middle = from.corner.x + kCardWidth / 2 + shift;
  if (from.lowest) {
    return {{middle, from.corner.y + kCardHeight + 2}, {middle, lane}, {end.x, lane}, end};
  }
  const double side = from.corner.x + kCardWidth;
  const double gap = side + (kCardColumn - kCardWidth) / 2;
  const double y = from.corner.y + kCardHeight / 2;
  return {{side + 2, y}, {gap, y}, {gap, lane}, {end.x, lane}, end};
}

Svg DrawRounds(const SearchOutcome& search) {
  std::vector<double> band_tops;
  double width = 0, bottom = 0;
  const std::vector<Card> cards = MakeCards(search, &band_tops, &width, &bottom);
  Svg picture(width, bottom + 60, absl::StrCat("Transition graph of pool ", search.graph().pool()));
  std::map<std::string, const Card*> by_name;
  std::map<int, int> edges;
  for (const Card& card : cards) by_name[card.state->name()] = &card;
  std::map<std::string, std::string> best_source;
  for (const NodeOutcome& node : search.nodes()) best_source[node.state()] = node.from();
  // The plan's path is drawn last, over the others.
  for (const bool draw_path : {false, true}) {
    for (const Transition& transition : search.graph().transitions()) {
      const EdgeOutcome* edge = FindEdge(search, transition);
      if (edge == nullptr) continue;
      if (!draw_path) ++edges[transition.round()];
      const auto from = by_name.find(transition.from()), to = by_name.find(transition.to());
      const bool on_path = OnPath(search.plan(), *edge);
      if (from == by_name.end() || to == by_name.end() || on_path != draw_path) continue;
      const bool best = best_source[transition.to()] == transition.from();
      DrawArrow(RouteDown(*from->second, *to->second, on_path ? 0 : 12),
                StyleOf(edge, on_path, best), &picture);
    }
  }
  size_t band = 0;
  for (const auto& [round, number] : edges) {
    if (band >= band_tops.size()) break;
    const double y = band_tops[band++] + 23;
    picture.Text({8, y}, absl::StrCat("round ", round), TextStyle(14).Bold());
    picture.Text({8, y + 18}, absl::StrCat(number, number == 1 ? " edge" : " edges"),
                 TextStyle(11.5).Fill(kGrey));
    if (band == 1) picture.Text({8, y + 33}, "from the start", TextStyle(11.5).Fill(kGrey));
  }
  for (const Card& card : cards) {
    const auto& finals = search.graph().finals();
    DrawCard(card, IsInPath(search.plan(), card.state->name()),
             std::find(finals.begin(), finals.end(), card.state->name()) != finals.end(), &picture);
  }
  picture.Text({8, bottom + 24},
               "Thick: the plan's path.  Bold figures: score after the edge, on held-out videos.  "
               "Double frame: a plan may end here.",
               TextStyle(11.5).Fill(kGrey));
  return picture;
}

}  // namespace

bool OnPath(const Plan& plan, const EdgeOutcome& edge) {
  for (int i = 0; i + 1 < plan.path_size(); ++i) {
    if (plan.path(i) == edge.from() && plan.path(i + 1) == edge.to()) return true;
  }
  return false;
}

Svg DrawGraph(const SearchOutcome& search) {
  if (!search.graph().rounds().empty()) return DrawRounds(search);
  const TransitionGraph& graph = search.graph();
  const Layout layout = MakeLayout(graph);
  Svg picture(layout.width(), layout.height(),
              absl::StrCat("Transition graph of pool ", graph.pool()));
  DrawAxes(layout, &picture);
  std::map<std::string, std::string> best_source;
  for (const NodeOutcome& node : search.nodes()) best_source[node.state()] = node.from();
  // All lines first, then all labels, so that no line crosses a label.
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
