#include "results/picture/chart_svg.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/strings/str_cat.h"
#include "results/picture/axes.h"
#include "results/record/format.h"

namespace op3d::results {
namespace {

constexpr double kLeft = 56, kRight = 18, kTop = 14, kBottom = 50, kHeading = 24;

bool IsShown(Point point, bool log_x) {
  return std::isfinite(point.x) && std::isfinite(point.y) && (!log_x || point.x > 0);
}

// The data's range, widened a little; at least `least` wide.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  void Widen(double share, double least) {
    const double margin = std::max(share * (high - low), (least - (high - low)) / 2);
    low -= margin;
    high += margin;
  }
};

class Plot {
 public:
  Plot(const Chart& chart, Svg* picture) : chart_(chart), picture_(*picture) {
    Range x, y;
    const auto add = [&](Point point) {
      if (!IsShown(point, chart.log_x)) return;
      x.Add(Along(point.x));
      y.Add(point.y);
    };
    for (const ChartSeries& series : chart.series) {
      for (const Point& point : series.points) add(point);
    }
    empty_ = x.empty();
    if (empty_) x = {0, 1}, y = {0, 1};
    const bool from_zero = !chart.log_x && x.low == 0;
    x.Widen(0.04, chart.log_x ? 0.2 : 1e-9 + 0.02 * std::fabs(x.high));
    if (from_zero) x.low = 0;
    y.Widen(0.06, 1e-9 + 0.02 * std::fabs(y.high));
    x_ = {x.low, x.high, kLeft, chart.width - kRight};
    y_ = {y.low, y.high, chart.height - kBottom, kTop + (chart.heading.empty() ? 0 : kHeading)};
  }

  void Draw() {
    if (!chart_.heading.empty()) {
      picture_.Text({kLeft, 20}, chart_.heading, TextStyle(14).Bold());
    }
    DrawAxes();
    if (empty_) {
      picture_.Text({(x_.first + x_.last) / 2, (y_.first + y_.last) / 2}, "no figures",
                    TextStyle(13).Fill(kGrey).Middle());
    }
    for (const ChartSeries& series : chart_.series) DrawSeries(series);
    for (const ChartMark& mark : chart_.marks) {
      if (!IsShown(mark.point, chart_.log_x)) continue;
      const Point at = ToPixels(mark.point);
      picture_.Circle(at, 9, ShapeStyle().Fill("#ffffff").Stroke(mark.colour, 2.5));
      picture_.Text({at.x, at.y + 4}, mark.text, TextStyle(11).Bold().Middle());
    }
  }

 private:
  double Along(double x) const { return chart_.log_x ? std::log10(x) : x; }
  Point ToPixels(Point point) const { return {x_(Along(point.x)), y_(point.y)}; }

  std::vector<double> XTicks() const {
    if (!chart_.log_x) return Ticks(x_.low, x_.high, 8);
    std::vector<double> ticks;
    for (int power = static_cast<int>(std::floor(x_.low)); power <= x_.high; ++power) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double tick = factor * std::pow(10, power);
        if (Along(tick) >= x_.low && Along(tick) <= x_.high) ticks.push_back(tick);
      }
    }
    // Many decades: their beginnings are enough.
    if (ticks.size() > 12) {
      ticks.erase(std::remove_if(ticks.begin(), ticks.end(),
                                 [](double tick) {
                                   const double power = std::log10(tick);
                                   return std::fabs(power - std::round(power)) > 1e-9;
                                 }),
                  ticks.end());
    }
    return ticks;
  }

  void DrawAxes() {
    for (const double tick : Ticks(y_.low, y_.high, 6)) {
      picture_.Line({x_.first, y_(tick)}, {x_.last, y_(tick)},
                    ShapeStyle().Stroke("#c8d0d8", 0.8).Dash("1 3"));
      picture_.Text({x_.first - 7, y_(tick) + 4}, FormatNumber(tick),
                    TextStyle(11.5).Fill(kGrey).End());
    }
    for (const double tick : XTicks()) {
      const double x = x_(Along(tick));
      picture_.Line({x, y_.first}, {x, y_.first + 4}, ShapeStyle().Stroke(kGrey));
      picture_.Text({x, y_.first + 17}, FormatNumber(tick), TextStyle(11.5).Fill(kGrey).Middle());
    }
    picture_.Line({x_.first, y_.first}, {x_.last, y_.first}, ShapeStyle().Stroke(kGrey));
    picture_.Line({x_.first, y_.first}, {x_.first, y_.last}, ShapeStyle().Stroke(kGrey));
    picture_.Text({(x_.first + x_.last) / 2, y_.first + 37}, chart_.x_label,
                  TextStyle(12).Fill(kGrey).Middle());
    picture_.Text({15, (y_.first + y_.last) / 2}, chart_.y_label,
                  TextStyle(12).Fill(kGrey).Middle().Rotate(-90));
  }

  void DrawSeries(const ChartSeries& series) {
    std::vector<Point> points;
    for (const Point& point : series.points) {
      if (IsShown(point, chart_.log_x)) points.push_back(ToPixels(point));
    }
    if (series.line && points.size() > 1) {
      picture_.Polyline(points, ShapeStyle().Stroke(series.colour, 2).Dash(series.dash));
    }
    if (!series.dots && points.size() != 1) return;
    for (const Point& point : points) {
      picture_.Circle(point, series.line ? 3 : 5,
                      ShapeStyle().Fill(series.colour).Stroke("#ffffff", 1));
    }
  }

  const Chart& chart_;
  Svg& picture_;
  bool empty_;
  Scale x_, y_;
};

}  // namespace

Svg DrawChart(const Chart& chart) {
  Svg picture(chart.width, chart.height, chart.title);
  Plot(chart, &picture).Draw();
  return picture;
}

std::vector<size_t> ParetoFront(const std::vector<Point>& points) {
  std::vector<size_t> order(points.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return points[a].x != points[b].x ? points[a].x < points[b].x : points[a].y > points[b].y;
  });
  std::vector<size_t> front;
  for (const size_t i : order) {
    if (front.empty() || points[i].y > points[front.back()].y) front.push_back(i);
  }
  return front;
}

}  // namespace op3d::results
