#include "data/transform/resize.h"

#include <algorithm>
#include <cmath>

#include "data/transform/testing/test_picture.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

// A simple implementation of the same arithmetic: whole pictures, one direction at a time.
std::vector<uint8_t> PlainAlong(const std::vector<uint8_t>& in, int count, int step, int lines,
                                int line_step, int size, int out_step, int out_line_step) {
  std::vector<uint8_t> out(size_t{1} * size * lines * 3);
  const double scale = static_cast<double>(count) / size;
  const double reach = std::max(1.0, scale);
  for (int i = 0; i < size; ++i) {
    const double centre = (i + 0.5) * scale;
    const int low = std::max(0, static_cast<int>(centre - reach + 0.5));
    const int high = std::min(count, static_cast<int>(centre + reach + 0.5));
    std::vector<double> weights;
    double total = 0;
    for (int k = low; k < high; ++k) {
      weights.push_back(std::max(0.0, 1 - std::abs((k - centre + 0.5) / reach)));
      total += weights.back();
    }
    for (int line = 0; line < lines; ++line) {
      for (int c = 0; c < 3; ++c) {
        int64_t sum = int64_t{1} << 21;
        for (int k = low; k < high; ++k) {
          const int64_t weight = static_cast<int64_t>(weights[k - low] / total * (1 << 22) + 0.5);
          sum += weight * in[k * step + line * line_step + c];
        }
        out[i * out_step + line * out_line_step + c] =
            static_cast<uint8_t>(std::min<int64_t>(sum >> 22, 255));
      }
    }
  }
  return out;
}

RgbImage PlainResize(const RgbImage& image, int width, int height) {
  const std::vector<uint8_t> wide =
      PlainAlong(image.pixels, image.width, 3, image.height, image.width * 3, width, 3, width * 3);
  return {width, height, PlainAlong(wide, image.height, width * 3, width, 3, height, width * 3, 3)};
}

std::vector<uint8_t> Apply(Resize* resize, const RgbImage& image) {
  std::vector<uint8_t> out(size_t{3} * resize->window().width * resize->window().height);
  resize->Apply(image.pixels.data(), {0, 0, image.width, image.height}, out.data());
  return out;
}

TEST(ResizeTest, EqualsThePlainArithmetic) {
  const int shapes[][4] = {{64, 48, 32, 32},  {64, 48, 48, 36}, {17, 91, 40, 23}, {90, 20, 13, 20},
                           {5, 5, 24, 24},    {1, 1, 8, 8},     {1, 40, 24, 24},  {340, 256, 3, 2},
                           {200, 300, 1, 1},  {33, 47, 33, 47}, {33, 47, 33, 20}, {33, 47, 64, 47},
                           {101, 77, 100, 76}};
  for (const auto& s : shapes) {
    const RgbImage image = TestPicture(s[0], s[1], 1);
    ASSERT_OK_AND_ASSIGN(Resize resize,
                         Resize::Make({0, 0, s[0], s[1]}, s[2], s[3], {0, 0, s[2], s[3]}));
    EXPECT_EQ(Apply(&resize, image), PlainResize(image, s[2], s[3]).pixels)
        << s[0] << "x" << s[1] << " to " << s[2] << "x" << s[3];
  }
}

TEST(ResizeTest, AWindowIsTheSameBytesAsTheWholeCropped) {
  const RgbImage image = TestPicture(70, 53, 2);
  RandomStream stream(3, "windows", {});
  for (int i = 0; i < 200; ++i) {
    const int width = 1 + stream.UniformInt(120), height = 1 + stream.UniformInt(90);
    Box window;
    window.width = 1 + stream.UniformInt(width);
    window.height = 1 + stream.UniformInt(height);
    window.left = stream.UniformInt(width - window.width + 1);
    window.top = stream.UniformInt(height - window.height + 1);
    ASSERT_OK_AND_ASSIGN(Resize resize, Resize::Make({0, 0, 70, 53}, width, height, window));
    const std::vector<uint8_t> want = CutOut(PlainResize(image, width, height), window).pixels;
    ASSERT_EQ(Apply(&resize, image), want)
        << width << "x" << height << ", window " << window.width << "x" << window.height;
    std::vector<uint8_t> out(want.size());
    const Box& needed = resize.needed();
    resize.Apply(CutOut(image, needed).pixels.data(), needed, out.data());
    ASSERT_EQ(out, want) << "from the part that is needed";
  }
}

TEST(ResizeTest, TheSourceBoxIsAPictureOfItsOwn) {
  const RgbImage image = TestPicture(70, 53, 4);
  for (const Box& box :
       {Box{3, 5, 40, 1}, Box{69, 52, 1, 1}, Box{10, 0, 33, 53}, Box{0, 20, 70, 9}}) {
    ASSERT_OK_AND_ASSIGN(Resize resize, Resize::Make(box, 24, 31, {0, 0, 24, 31}));
    const std::vector<uint8_t> want = PlainResize(CutOut(image, box), 24, 31).pixels;
    EXPECT_EQ(Apply(&resize, image), want);
    EXPECT_EQ(resize.needed(), box);
    std::vector<uint8_t> out(want.size());
    resize.Apply(CutOut(image, box).pixels.data(), box, out.data());
    EXPECT_EQ(out, want);
  }
}

TEST(ResizeTest, WhiteStaysWhite) {
  const RgbImage white = {977, 3, std::vector<uint8_t>(977 * 3 * 3, 255)};
  ASSERT_OK_AND_ASSIGN(Resize resize, Resize::Make({0, 0, 977, 3}, 7, 50, {0, 0, 7, 50}));
  for (const uint8_t byte : Apply(&resize, white)) ASSERT_EQ(byte, 255);
}

TEST(ResizeTest, RefusesWhatCannotBe) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(Resize::Make({0, 0, 0, 5}, 4, 4, {0, 0, 4, 4}),
              StatusIs(kInvalid, HasSubstr("box 0x5")));
  EXPECT_THAT(Resize::Make({0, 0, 5, 5}, 4, 4, {1, 0, 4, 4}),
              StatusIs(kInvalid, HasSubstr("not inside a picture of 4x4")));
  EXPECT_THAT(Resize::Make({0, 0, 5, 5}, 40000, 4, {0, 0, 4, 4}),
              StatusIs(kInvalid, HasSubstr("1 to 32768")));
}

TEST(ResizeTest, ShortSide) {
  auto size = [](int width, int height, int side) {
    const PictureSize s = ShortSideSize(width, height, side);
    return std::pair<int, int>(s.width, s.height);
  };
  EXPECT_EQ(size(64, 48, 36), std::make_pair(48, 36));
  EXPECT_EQ(size(340, 256, 224), std::make_pair(297, 224));  // 297.5 is cut off
  EXPECT_EQ(size(81, 107, 56), std::make_pair(56, 73));
  EXPECT_EQ(size(50, 50, 256), std::make_pair(256, 256));
}

}  // namespace
}  // namespace op3d::data
