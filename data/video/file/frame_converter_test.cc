#include "data/video/file/frame_converter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

// A frame of one colour.
FramePtr Plain(int width, int height, AVPixelFormat format, uint8_t y, uint8_t u, uint8_t v) {
  FramePtr frame(av_frame_alloc());
  frame->width = width;
  frame->height = height;
  frame->format = format;
  EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
  const uint8_t values[] = {y, u, v};
  for (int plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? height : (height + 1) / 2;
    for (int i = 0; i < rows * frame->linesize[plane]; ++i) frame->data[plane][i] = values[plane];
  }
  return frame;
}

std::array<int, 3> Pixel(const RgbImage& image, int x, int y) {
  const uint8_t* pixel = &image.pixels[(y * image.width + x) * 3];
  return {pixel[0], pixel[1], pixel[2]};
}

void ExpectNear(const std::array<int, 3>& actual, const std::array<int, 3>& expected) {
  // swscale's 14-bit coefficients may differ by one more than the formula.
  for (int i = 0; i < 3; ++i) EXPECT_LE(std::abs(actual[i] - expected[i]), 2) << i << actual[i];
}

// Rec. ITU-R BT.601 / BT.709 with limited or full range, in floating point.
std::array<int, 3> Formula(double kr, double kb, bool full, int y, int u, int v) {
  const double luma = full ? y / 255.0 : (y - 16) / 219.0;
  const double cb = (u - 128) / (full ? 255.0 : 224.0);
  const double cr = (v - 128) / (full ? 255.0 : 224.0);
  const double red = luma + 2 * (1 - kr) * cr;
  const double blue = luma + 2 * (1 - kb) * cb;
  const double green = (luma - kr * red - kb * blue) / (1 - kr - kb);
  const auto byte = [](double value) {
    return static_cast<int>(std::min(1.0, std::max(0.0, value)) * 255 + 0.5);
  };
  return {byte(red), byte(green), byte(blue)};
}

RgbImage Convert(const AVFrame& frame, Orientation orientation = {}) {
  FrameConverter converter(frame.width, frame.height, orientation);
  RgbImage image;
  const int width = orientation.transpose ? frame.height : frame.width;
  const int height = orientation.transpose ? frame.width : frame.height;
  EXPECT_THAT(converter.Convert(frame, {0, 0, width, height}, &image), IsOk());
  return image;
}

TEST(FrameConverterTest, UsesTheMatrixOfTheFrame) {
  const FramePtr frame = Plain(32, 16, AV_PIX_FMT_YUV420P, 120, 90, 170);
  ExpectNear(Pixel(Convert(*frame), 5, 5), Formula(0.299, 0.114, false, 120, 90, 170));
  frame->colorspace = AVCOL_SPC_SMPTE170M;
  ExpectNear(Pixel(Convert(*frame), 5, 5), Formula(0.299, 0.114, false, 120, 90, 170));
  frame->colorspace = AVCOL_SPC_BT709;
  ExpectNear(Pixel(Convert(*frame), 5, 5), Formula(0.2126, 0.0722, false, 120, 90, 170));
  frame->colorspace = AVCOL_SPC_BT2020_NCL;
  ExpectNear(Pixel(Convert(*frame), 5, 5), Formula(0.2627, 0.0593, false, 120, 90, 170));
}

TEST(FrameConverterTest, UsesTheRangeOfTheFrame) {
  const FramePtr frame = Plain(32, 16, AV_PIX_FMT_YUV420P, 200, 100, 140);
  frame->color_range = AVCOL_RANGE_MPEG;
  ExpectNear(Pixel(Convert(*frame), 31, 15), Formula(0.299, 0.114, false, 200, 100, 140));
  frame->color_range = AVCOL_RANGE_JPEG;
  ExpectNear(Pixel(Convert(*frame), 31, 15), Formula(0.299, 0.114, true, 200, 100, 140));
  const FramePtr named = Plain(32, 16, AV_PIX_FMT_YUVJ420P, 200, 100, 140);
  ExpectNear(Pixel(Convert(*named), 0, 0), Formula(0.299, 0.114, true, 200, 100, 140));
}

TEST(FrameConverterTest, ReusedConverterFollowsChanges) {
  FrameConverter converter(32, 16, {});
  RgbImage image;
  const FramePtr limited = Plain(32, 16, AV_PIX_FMT_YUV420P, 200, 100, 140);
  const FramePtr full = Plain(32, 16, AV_PIX_FMT_YUVJ420P, 200, 100, 140);
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(converter.Convert(*limited, {0, 0, 32, 16}, &image), IsOk());
    ExpectNear(Pixel(image, 3, 3), Formula(0.299, 0.114, false, 200, 100, 140));
    ASSERT_THAT(converter.Convert(*full, {0, 0, 32, 16}, &image), IsOk());
    ExpectNear(Pixel(image, 3, 3), Formula(0.299, 0.114, true, 200, 100, 140));
  }
}

TEST(FrameConverterTest, TakesOddSizes) {
  const RgbImage image = Convert(*Plain(33, 17, AV_PIX_FMT_YUV420P, 120, 90, 170));
  ASSERT_EQ(image.width, 33);
  ASSERT_EQ(image.height, 17);
  ASSERT_EQ(image.pixels.size(), 33 * 17 * 3);
  ExpectNear(Pixel(image, 32, 16), Formula(0.299, 0.114, false, 120, 90, 170));
}

TEST(FrameConverterTest, ScalesAFrameOfAnotherSize) {
  FrameConverter converter(32, 16, {});
  RgbImage image;
  ASSERT_THAT(
      converter.Convert(*Plain(64, 64, AV_PIX_FMT_YUV420P, 120, 90, 170), {0, 0, 32, 16}, &image),
      IsOk());
  EXPECT_EQ(image.width, 32);
  ExpectNear(Pixel(image, 31, 15), Formula(0.299, 0.114, false, 120, 90, 170));
}

// A part is cut out of the turned picture, with the faster path and with swscale.
TEST(FrameConverterTest, GivesPartsOfTheTurnedPicture) {
  for (const AVPixelFormat format : {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P}) {
    const FramePtr frame = Plain(24, 16, format, 0, 128, 128);
    for (int plane = 0; plane < 3; ++plane) {
      for (int i = 0; i < (plane == 0 ? 16 : 8) * frame->linesize[plane]; ++i) {
        frame->data[plane][i] = static_cast<uint8_t>(30 + 7 * i % 191);
      }
    }
    for (int turn = 0; turn < 8; ++turn) {
      const Orientation orientation = {(turn & 4) != 0, (turn & 2) != 0, (turn & 1) != 0};
      const RgbImage whole = Convert(*frame, orientation);
      FrameConverter converter(24, 16, orientation);
      RgbImage part;
      ASSERT_THAT(converter.Convert(*frame, {3, 5, 7, 9}, &part), IsOk());
      ASSERT_EQ(part.pixels.size(), 3 * 7 * 9);
      for (int y = 0; y < 9; ++y) {
        for (int x = 0; x < 7; ++x) EXPECT_EQ(Pixel(part, x, y), Pixel(whole, 3 + x, 5 + y));
      }
    }
  }
}

// The left edge of the top row: red, green; the rest is black.
FramePtr Marked() {
  FramePtr frame(av_frame_alloc());
  frame->width = 24;
  frame->height = 16;
  frame->format = AV_PIX_FMT_RGB24;
  EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
  for (int i = 0; i < 16 * frame->linesize[0]; ++i) frame->data[0][i] = 0;
  frame->data[0][0] = 255;
  frame->data[0][3 + 1] = 255;
  return frame;
}

TEST(FrameConverterTest, TurnsAndMirrors) {
  const std::array<int, 3> red = {255, 0, 0};
  const std::array<int, 3> green = {0, 255, 0};
  const FramePtr frame = Marked();
  const RgbImage as_is = Convert(*frame);
  EXPECT_EQ(Pixel(as_is, 0, 0), red);
  EXPECT_EQ(Pixel(as_is, 1, 0), green);
  const RgbImage half = Convert(*frame, {false, true, true});
  EXPECT_EQ(Pixel(half, 23, 15), red);
  EXPECT_EQ(Pixel(half, 22, 15), green);
  const RgbImage mirrored = Convert(*frame, {false, true, false});
  EXPECT_EQ(Pixel(mirrored, 23, 0), red);
  EXPECT_EQ(Pixel(mirrored, 22, 0), green);
  const RgbImage upside_down = Convert(*frame, {false, false, true});
  EXPECT_EQ(Pixel(upside_down, 1, 15), green);
  // A quarter clockwise: the top row becomes the right column.
  const RgbImage quarter = Convert(*frame, {true, true, false});
  ASSERT_EQ(quarter.width, 16);
  ASSERT_EQ(quarter.height, 24);
  EXPECT_EQ(Pixel(quarter, 15, 0), red);
  EXPECT_EQ(Pixel(quarter, 15, 1), green);
  const RgbImage three_quarters = Convert(*frame, {true, false, true});
  EXPECT_EQ(Pixel(three_quarters, 0, 23), red);
  EXPECT_EQ(Pixel(three_quarters, 0, 22), green);
}

}  // namespace
}  // namespace op3d::data
