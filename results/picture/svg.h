// A small writer of SVG pictures, for files and for inline use in pages.
//
//   Svg picture(200, 100, "A line");
//   picture.Line({10, 10}, {190, 90}, ShapeStyle().Stroke(kBlue, 2));
//   picture.Text({100, 50}, "a < b", TextStyle(12).Middle());   // escaped
//   WriteFileAtomically("line.svg", picture.ToFile());
//
// Coordinates are pixels, x to the right, y downward.  Numbers that are not finite become 0, so
// that odd data still gives a well-formed picture.  Nothing in a picture has an id or a reference,
// so one page can contain several.  A page that is also shown dark replaces the colours by style
// sheet (DarkPictures()).
#ifndef OP3D_RESULTS_PICTURE_SVG_H_
#define OP3D_RESULTS_PICTURE_SVG_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace op3d::results {

// Colours that people with any kind of colour blindness can distinguish (Okabe and Ito, 2008), and
// greys.
inline constexpr char kBlue[] = "#0072B2";
inline constexpr char kSky[] = "#56B4E9";
inline constexpr char kGreen[] = "#009E73";
inline constexpr char kOrange[] = "#E69F00";
inline constexpr char kVermilion[] = "#D55E00";
inline constexpr char kPurple[] = "#CC79A7";
inline constexpr char kInk[] = "#1f2933";
inline constexpr char kGrey[] = "#616e7c";
inline constexpr char kPale[] = "#d5dbe1";

// The colour of row or run `index`, from 0; they repeat after six.
const char* SeriesColour(int index);

// The style sheet for inline pictures on a dark page: each grey, pale and dark colour of the pictures
// is replaced by one that can be read there.  The others are accents, which suit both.
std::string DarkPictures();

// Whether DarkPictures() replaces the colour, or it is an accent.
bool IsForDarkPages(absl::string_view colour);

struct Point {
  double x = 0;
  double y = 0;
};

// ShapeStyle().Fill(kSky).Stroke(kInk, 2): by default nothing is filled or drawn.
struct ShapeStyle {
  std::string fill = "none";
  std::string stroke = "none";
  double stroke_width = 1;
  // "4 3": 4 pixels drawn, 3 left out.
  std::string dash;
  double opacity = 1;

  ShapeStyle& Fill(absl::string_view colour) { return fill = std::string(colour), *this; }
  ShapeStyle& Stroke(absl::string_view colour, double width = 1) {
    return stroke = std::string(colour), stroke_width = width, *this;
  }
  ShapeStyle& Dash(absl::string_view pattern) { return dash = std::string(pattern), *this; }
  ShapeStyle& Opacity(double share) { return opacity = share, *this; }
};

// TextStyle(11).Bold().Middle(): the point of a text is on its baseline, at its start unless
// Middle() or End() is used.
struct TextStyle {
  // Pixels.
  double size;
  std::string anchor = "start";
  std::string fill = kInk;
  bool bold = false;
  bool halo = false;
  // Degrees, clockwise.
  double rotate = 0;

  explicit TextStyle(double size_pixels) : size(size_pixels) {}
  TextStyle& Middle() { return anchor = "middle", *this; }
  TextStyle& End() { return anchor = "end", *this; }
  TextStyle& Fill(absl::string_view colour) { return fill = std::string(colour), *this; }
  TextStyle& Bold() { return bold = true, *this; }
  // A white outline, for text over lines.
  TextStyle& Halo() { return halo = true, *this; }
  TextStyle& Rotate(double degrees) { return rotate = degrees, *this; }
};

class Svg {
 public:
  // Size in pixels.  `title` is for screen readers.
  Svg(double width, double height, absl::string_view title);

  double width() const { return width_; }
  double height() const { return height_; }

  void Line(Point from, Point to, const ShapeStyle& style);
  void Polyline(const std::vector<Point>& points, const ShapeStyle& style);
  void Polygon(const std::vector<Point>& points, const ShapeStyle& style);
  // `corner` is the top left one, `radius` that of the rounded corners.
  void Rectangle(Point corner, double width, double height, const ShapeStyle& style,
                 double radius = 0);
  void Circle(Point centre, double radius, const ShapeStyle& style);
  void Text(Point at, absl::string_view text, const TextStyle& style);
  // A triangle with its tip at `tip`, pointing away from `from`.
  void ArrowHead(Point from, Point tip, double size, absl::string_view fill);
  // A whole picture inside this one.
  void Embed(Point corner, const Svg& picture);

  // For a page: <svg>...</svg>, as wide as the page allows and no wider than width().  On a narrow
  // page it keeps two thirds of its width, so that texts can be read; put it in an element that
  // scrolls.
  std::string ToInline() const;
  // For a file of its own.
  std::string ToFile() const;

 private:
  std::string Wrapped(absl::string_view attributes) const;

  double width_;
  double height_;
  std::string title_;
  std::string body_;
};

// Escapes text for XML or HTML, for an element or a quoted attribute: & < > " ' are escaped,
// control characters and invalid UTF-8 are replaced by U+FFFD.
std::string EscapeXml(absl::string_view text);

// The approximate width of a text in pixels, for layout.
double EstimateTextWidth(absl::string_view text, double size);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_SVG_H_
