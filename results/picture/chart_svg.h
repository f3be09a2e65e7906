// Points and lines of several series in one pair of axes: curves laid over each other, cost against
// accuracy.
//
//   Chart chart;
//   chart.title = "Top-1 against frames";
//   chart.x_label = "million frames";
//   chart.y_label = "top-1, %";
//   chart.series.push_back({kBlue, {{1, 80}, {2, 90}}});
//   page += DrawChart(chart).ToInline();
#ifndef OP3D_RESULTS_PICTURE_CHART_SVG_H_
#define OP3D_RESULTS_PICTURE_CHART_SVG_H_

#include <string>
#include <vector>

#include "results/picture/svg.h"

namespace op3d::results {

struct ChartSeries {
  std::string colour;
  // In the units of the axes.  Points that are not finite are left out, and so are those with
  // x <= 0 if x is logarithmic.
  std::vector<Point> points;
  // A line through the points in their order, dots, or both.
  bool line = true;
  bool dots = false;
  // As ShapeStyle.dash.
  std::string dash = "";
};

struct ChartMark {
  // A circle in this colour with a short text ("1") at this point.
  Point point;
  std::string text;
  std::string colour = kInk;
};

struct Chart {
  // For screen readers.
  std::string title;
  // Above the plot; may be empty.
  std::string heading;
  std::string x_label, y_label;
  // x is logarithmic if all of it is above 0.
  bool log_x = false;
  // Drawn in this order.
  std::vector<ChartSeries> series;
  std::vector<ChartMark> marks;
  // Pixels.
  double width = 720, height = 380;
};

// Both axes cover all points.  Without points the plot is empty and says so.
Svg DrawChart(const Chart& chart);

// The points that no other point beats: all others with at most its cost (x) have a lower y, and of
// equal points the first counts.  Indices into `points`, by increasing x.
std::vector<size_t> ParetoFront(const std::vector<Point>& points);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_CHART_SVG_H_
