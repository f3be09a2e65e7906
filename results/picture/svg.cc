#include "results/picture/svg.h"

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace op3d::results {
namespace {

// Pictures that are at most this wide fit a phone.
constexpr double kPhoneWidth = 420;

struct ColourPair {
  const char* light;
  const char* dark;
};

constexpr ColourPair kDarkColours[] = {
    // Texts and lines.
    {kInk, "#e4e8ec"},
    {kGrey, "#a3afba"},
    {"#aab4be", "#6d7986"},
    {"#c8d0d8", "#404a55"},
    {kPale, "#38424c"},
    // Areas.
    {"#dfe5ea", "#37414b"},
    {"#f5f7f9", "#1e242b"},
    {"#e3f1fa", "#17324a"},
    {"#b9d7ea", "#2d5f86"},
    {"#fdf1e7", "#3a2617"},
    // Accents that would be too dark for texts and thin lines.
    {kBlue, "#4fa8de"},
    {kVermilion, "#f08a4b"},
};
constexpr const char* kAccents[] = {kSky, kGreen, kOrange, kPurple};
constexpr char kWhite[] = "#ffffff", kDarkPaper[] = "#14181d";

// Two decimals are a fiftieth of a pixel.
std::string Number(double value) {
  if (!std::isfinite(value)) value = 0;
  std::string text = absl::StrFormat("%.2f", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string Attribute(absl::string_view name, double value) {
  return absl::StrCat(" ", name, "=\"", Number(value), "\"");
}

std::string Attribute(absl::string_view name, absl::string_view value) {
  return absl::StrCat(" ", name, "=\"", EscapeXml(value), "\"");
}

std::string Attributes(const ShapeStyle& style) {
  std::string text = Attribute("fill", style.fill);
  if (style.stroke != "none") {
    absl::StrAppend(&text, Attribute("stroke", style.stroke),
                    Attribute("stroke-width", style.stroke_width));
    if (!style.dash.empty()) absl::StrAppend(&text, Attribute("stroke-dasharray", style.dash));
  }
  if (style.opacity != 1) absl::StrAppend(&text, Attribute("opacity", style.opacity));
  return text;
}

std::string Points(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) {
    absl::StrAppend(&text, text.empty() ? "" : " ", Number(point.x), ",", Number(point.y));
  }
  return Attribute("points", text);
}

// The length of the UTF-8 character at the beginning of `text`; 0 if it is invalid.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) -> uint8_t { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xC2 ? 0
                        : lead < 0xE0 ? 2
                        : lead < 0xF0 ? 3
                        : lead < 0xF5 ? 4
                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF, and U+FFFE and U+FFFF, which XML forbids.
  if (length == 3 && lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (length == 3 && lead == 0xED && byte(1) >= 0xA0) return 0;
  if (length == 3 && lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return 0;
  if (length == 4 && lead == 0xF0 && byte(1) < 0x90) return 0;
  if (length == 4 && lead == 0xF4 && byte(1) >= 0x90) return 0;
  return length;
}

}  // namespace

const char* SeriesColour(int index) {
  constexpr const char* kColours[] = {kBlue, kOrange, kGreen, kPurple, kSky, kVermilion};
  return kColours[index % 6];
}

std::string DarkPictures() {
  std::string css;
  for (const auto& [light, dark] : kDarkColours) {
    absl::StrAppend(&css, "svg [fill=\"", light, "\"] { fill: ", dark, "; }\nsvg [stroke=\"", light,
                    "\"] { stroke: ", dark, "; }\n");
  }
  // White texts are on dark areas.
  for (const char* shape : {"rect", "circle", "polygon"}) {
    absl::StrAppend(&css, "svg ", shape, "[fill=\"", kWhite, "\"] { fill: ", kDarkPaper, "; }\n");
  }
  return absl::StrCat(css, "svg [stroke=\"", kWhite, "\"] { stroke: ", kDarkPaper, "; }\n");
}

bool IsForDarkPages(absl::string_view colour) {
  if (colour == "none" || colour == kWhite) return true;
  for (const auto& [light, dark] : kDarkColours) {
    if (colour == light) return true;
  }
  for (const char* accent : kAccents) {
    if (colour == accent) return true;
  }
  return false;
}

Svg::Svg(double width, double height, absl::string_view title)
    : width_(width), height_(height), title_(title) {}

void Svg::Line(Point from, Point to, const ShapeStyle& style) {
  absl::StrAppend(&body_, "<line", Attribute("x1", from.x), Attribute("y1", from.y),
                  Attribute("x2", to.x), Attribute("y2", to.y), Attributes(style), "/>\n");
}

void Svg::Polyline(const std::vector<Point>& points, const ShapeStyle& style) {
  absl::StrAppend(&body_, "<polyline", Points(points), Attributes(style),
                  " stroke-linejoin=\"round\"/>\n");
}

void Svg::Polygon(const std::vector<Point>& points, const ShapeStyle& style) {
  absl::StrAppend(&body_, "<polygon", Points(points), Attributes(style), "/>\n");
}

void Svg::Rectangle(Point corner, double width, double height, const ShapeStyle& style,
                    double radius) {
  absl::StrAppend(&body_, "<rect", Attribute("x", corner.x), Attribute("y", corner.y),
                  Attribute("width", std::fmax(width, 0)),
                  Attribute("height", std::fmax(height, 0)),
                  radius > 0 ? Attribute("rx", radius) : "", Attributes(style), "/>\n");
}

void Svg::Circle(Point centre, double radius, const ShapeStyle& style) {
  absl::StrAppend(&body_, "<circle", Attribute("cx", centre.x), Attribute("cy", centre.y),
                  Attribute("r", radius), Attributes(style), "/>\n");
}

void Svg::Text(Point at, absl::string_view text, const TextStyle& style) {
  absl::StrAppend(&body_, "<text", Attribute("x", at.x), Attribute("y", at.y),
                  Attribute("font-size", style.size), Attribute("fill", style.fill));
  if (style.anchor != "start") absl::StrAppend(&body_, Attribute("text-anchor", style.anchor));
  if (style.bold) absl::StrAppend(&body_, " font-weight=\"bold\"");
  if (style.halo) {
    absl::StrAppend(&body_, " stroke=\"#ffffff\" stroke-width=\"4\" stroke-linejoin=\"round\"",
                    " paint-order=\"stroke\"");
  }
  if (style.rotate != 0) {
    absl::StrAppend(&body_, " transform=\"rotate(", Number(style.rotate), " ", Number(at.x), " ",
                    Number(at.y), ")\"");
  }
  absl::StrAppend(&body_, ">", EscapeXml(text), "</text>\n");
}

void Svg::ArrowHead(Point from, Point tip, double size, absl::string_view fill) {
  const double length = std::hypot(tip.x - from.x, tip.y - from.y);
  if (!(length > 0)) return;
  const double x = (tip.x - from.x) / length, y = (tip.y - from.y) / length;
  const Point base = {tip.x - size * x, tip.y - size * y};
  const double half = 0.45 * size;
  Polygon({tip, {base.x - half * y, base.y + half * x}, {base.x + half * y, base.y - half * x}},
          ShapeStyle().Fill(fill));
}

void Svg::Embed(Point corner, const Svg& picture) {
  absl::StrAppend(&body_,
                  picture.Wrapped(absl::StrCat(Attribute("x", corner.x), Attribute("y", corner.y),
                                               Attribute("width", picture.width_),
                                               Attribute("height", picture.height_))));
}

std::string Svg::ToInline() const {
  return Wrapped(absl::StrCat(" role=\"img\" style=\"width:100%;min-width:",
                              Number(width_ <= kPhoneWidth ? 0 : width_ * 2 / 3),
                              "px;max-width:", Number(width_), "px;height:auto\""));
}

std::string Svg::ToFile() const {
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
      Wrapped(absl::StrCat(" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"",
                           Attribute("width", width_), Attribute("height", height_))));
}

std::string Svg::Wrapped(absl::string_view attributes) const {
  return absl::StrCat("<svg", attributes, " viewBox=\"0 0 ", Number(width_), " ", Number(height_),
                      "\" font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">\n",
                      "<title>", EscapeXml(title_), "</title>\n", body_, "</svg>\n");
}

std::string EscapeXml(absl::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const char first = text[0];
    const bool control = static_cast<uint8_t>(first) < 0x20 && first != '\n' && first != '\t';
    if (length == 0 || control || first == 0x7F) {
      escaped += "\xEF\xBF\xBD";
    } else if (first == '&') {
      escaped += "&amp;";
    } else if (first == '<') {
      escaped += "&lt;";
    } else if (first == '>') {
      escaped += "&gt;";
    } else if (first == '"') {
      escaped += "&quot;";
    } else if (first == '\'') {
      escaped += "&#39;";
    } else {
      escaped.append(text.data(), length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return escaped;
}

double EstimateTextWidth(absl::string_view text, double size) {
  double characters = 0;
  for (const char byte : text) characters += (static_cast<uint8_t>(byte) & 0xC0) != 0x80;
  return 0.56 * size * characters;
}

}  // namespace op3d::results
