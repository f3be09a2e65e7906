#include "data/video/image/yuv_to_rgb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/video/ffmpeg/ffmpeg.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {
namespace {

struct Yuv {
  int width, height;
  std::array<std::vector<uint8_t>, 3> planes;
  std::array<const uint8_t*, 3> Pointers() const {
    return {planes[0].data(), planes[1].data(), planes[2].data()};
  }
  std::array<ptrdiff_t, 3> Strides() const { return {width, (width + 1) / 2, (width + 1) / 2}; }
};

// Bytes of limited range; libswscale overflows on some of the others.
Yuv Noise(int width, int height) {
  Yuv yuv = {width, height, {}};
  RandomStream stream(1, "noise", {width, height});
  for (int p = 0; p < 3; ++p) {
    yuv.planes[p].resize(p == 0 ? width * height : (width + 1) / 2 * ((height + 1) / 2));
    for (uint8_t& byte : yuv.planes[p]) {
      byte = static_cast<uint8_t>(16 + stream.UniformInt(p == 0 ? 220 : 225));
    }
  }
  return yuv;
}

// The result of libswscale, which is slower.
std::vector<uint8_t> Swscale(const Yuv& yuv, const int* matrix, bool full_range) {
  const FfmpegLog log;
  const ScalerPtr scaler(sws_getContext(
      yuv.width, yuv.height, AV_PIX_FMT_YUV420P, yuv.width, yuv.height, AV_PIX_FMT_RGB24,
      SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT, nullptr, nullptr,
      nullptr));
  sws_setColorspaceDetails(scaler.get(), matrix, full_range, matrix, 1, 0, 1 << 16, 1 << 16);
  const int stride = (3 * yuv.width + 127) / 64 * 64;
  std::vector<uint8_t> padded(static_cast<size_t>(stride) * yuv.height + 64);
  uint8_t* rows[] = {padded.data()};
  const int row_stride[] = {stride};
  const int strides[] = {yuv.width, (yuv.width + 1) / 2, (yuv.width + 1) / 2};
  // Vector instructions may read beyond the end.
  Yuv copy = yuv;
  for (std::vector<uint8_t>& plane : copy.planes) plane.resize(plane.size() + 64);
  EXPECT_EQ(
      sws_scale(scaler.get(), copy.Pointers().data(), strides, 0, yuv.height, rows, row_stride),
      yuv.height);
  std::vector<uint8_t> rgb;
  for (int y = 0; y < yuv.height; ++y) {
    rgb.insert(rgb.end(), &padded[y * stride], &padded[y * stride] + 3 * yuv.width);
  }
  return rgb;
}

class YuvToRgbTest : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(YuvToRgbTest, GivesTheBytesOfSwscale) {
  const auto [width, height] = GetParam();
  const Yuv yuv = Noise(width, height);
  for (const int space : {SWS_CS_ITU601, SWS_CS_ITU709, SWS_CS_BT2020}) {
    for (const bool full_range : {false, true}) {
      const int* matrix = sws_getCoefficients(space);
      auto converter = YuvToRgb::Make(width, height, matrix, full_range);
      ASSERT_TRUE(converter.has_value());
      std::vector<uint8_t> rgb(3 * width * height);
      converter->Convert(yuv.Pointers(), yuv.Strides(), {0, 0, width, height}, rgb.data());
      const std::vector<uint8_t> expected = Swscale(yuv, matrix, full_range);
      const auto differing = std::mismatch(rgb.begin(), rgb.end(), expected.begin()).first;
      EXPECT_TRUE(rgb == expected)
          << space << full_range << " pixel " << (differing - rgb.begin()) / 3 % width << " of row "
          << (differing - rgb.begin()) / 3 / width;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, YuvToRgbTest,
                         testing::Values(std::pair(64, 48), std::pair(340, 256),
                                         std::pair(427, 240), std::pair(10, 10), std::pair(11, 10),
                                         std::pair(10, 11), std::pair(33, 17), std::pair(320, 241),
                                         std::pair(1001, 31), std::pair(1919, 13),
                                         std::pair(36, 1079)));

TEST(YuvToRgbSizesTest, GivesTheBytesOfSwscaleAtEverySize) {
  const int* matrix = sws_getCoefficients(SWS_CS_ITU601);
  for (int size = 10; size < 500; size += size < 100 ? 1 : 7) {
    for (const auto& [width, height] : {std::pair(size, 10), std::pair(10, size)}) {
      auto converter = YuvToRgb::Make(width, height, matrix, false);
      ASSERT_TRUE(converter.has_value());
      const Yuv yuv = Noise(width, height);
      std::vector<uint8_t> rgb(3 * width * height);
      converter->Convert(yuv.Pointers(), yuv.Strides(), {0, 0, width, height}, rgb.data());
      ASSERT_TRUE(rgb == Swscale(yuv, matrix, false)) << width << "x" << height;
    }
  }
}

TEST(YuvToRgbPartTest, IsThatPartOfThePicture) {
  for (const auto& [width, height] : {std::pair(64, 48), std::pair(33, 27)}) {
    const Yuv yuv = Noise(width, height);
    auto converter =
        YuvToRgb::Make(width, height, sws_getCoefficients(SWS_CS_ITU601), /*full_range=*/false);
    std::vector<uint8_t> whole(3 * width * height);
    converter->Convert(yuv.Pointers(), yuv.Strides(), {0, 0, width, height}, whole.data());
    RandomStream stream(2, "box", {width});
    for (int i = 0; i < 200; ++i) {
      Box box;
      box.width = 1 + stream.UniformInt(width);
      box.height = 1 + stream.UniformInt(height);
      box.left = stream.UniformInt(width - box.width + 1);
      box.top = stream.UniformInt(height - box.height + 1);
      std::vector<uint8_t> part(3 * box.width * box.height);
      converter->Convert(yuv.Pointers(), yuv.Strides(), box, part.data());
      for (int y = 0; y < box.height; ++y) {
        const uint8_t* row = &whole[3 * ((box.top + y) * width + box.left)];
        ASSERT_TRUE(std::equal(row, row + 3 * box.width, &part[3 * y * box.width]))
            << box.left << " " << box.top << " " << box.width << " " << box.height;
      }
    }
  }
}

TEST(YuvToRgbPartTest, BrightBlueStaysBlue) {
  Yuv yuv = Noise(16, 16);
  for (uint8_t& byte : yuv.planes[0]) byte = 255;
  for (uint8_t& byte : yuv.planes[1]) byte = 255;
  for (uint8_t& byte : yuv.planes[2]) byte = 0;
  auto converter = YuvToRgb::Make(16, 16, sws_getCoefficients(SWS_CS_BT2020), false);
  std::vector<uint8_t> rgb(3 * 16 * 16);
  converter->Convert(yuv.Pointers(), yuv.Strides(), {0, 0, 16, 16}, rgb.data());
  EXPECT_EQ(rgb[2], 255);
}

TEST(YuvToRgbPartTest, LeavesTinyPicturesToOthers) {
  EXPECT_FALSE(YuvToRgb::Make(8, 100, sws_getCoefficients(SWS_CS_ITU601), false).has_value());
  EXPECT_FALSE(YuvToRgb::Make(100, 7, sws_getCoefficients(SWS_CS_ITU601), false).has_value());
}

TEST(ChromaBoxTest, HasAllSamplesThatABoxNeeds) {
  const int* matrix = sws_getCoefficients(SWS_CS_ITU709);
  for (int width = 10; width < 70; width += 3) {
    for (const int height : {10, 31, 64}) {
      const auto converter = YuvToRgb::Make(width, height, matrix, false);
      ASSERT_TRUE(converter.has_value());
      for (int left = 0; left < width; ++left) {
        for (const int columns : {1, 4, width - left}) {
          if (columns > width - left) continue;
          const int top = left % height;
          const Box box = {left, top, columns, height - top};
          const Box chroma = ChromaBox(box, width, height);
          const auto& across = converter->across().position;
          const auto& down = converter->down().position;
          EXPECT_GE(chroma.left, 0);
          EXPECT_LE(chroma.left, across[left]);
          EXPECT_GE(chroma.left + chroma.width, across[left + columns - 1] + 2);
          EXPECT_LE(chroma.left + chroma.width, (width + 1) / 2);
          EXPECT_GE(chroma.top, 0);
          EXPECT_LE(chroma.top, down[top]);
          EXPECT_GE(chroma.top + chroma.height, down[height - 1] + 2);
          EXPECT_LE(chroma.top + chroma.height, (height + 1) / 2);
        }
      }
    }
  }
}

}  // namespace
}  // namespace op3d::data
