#include "data/transform/pixel_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "op3d/base/random_stream.h"

namespace op3d::data {
namespace {

std::vector<uint8_t> RandomBytes(size_t count, RandomStream* stream) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(stream->UniformInt(256));
  return bytes;
}

// `taps` weights whose sum is 2^22.
std::vector<int32_t> RandomWeights(int taps, RandomStream* stream) {
  std::vector<double> shares(taps);
  double total = 0;
  for (double& share : shares) total += share = stream->Uniform(0, 1);
  std::vector<int32_t> weights;
  for (const double share : shares) {
    weights.push_back(static_cast<int32_t>(share / total * (1 << 22) + 0.5));
  }
  return weights;
}

TEST(PixelRowsTest, EveryProcessorsNormaliseIsTheTable) {
  // Every byte in every channel, at every position of a vector.
  std::vector<uint8_t> pixels;
  for (int byte = 0; byte < 256 + 7; ++byte) pixels.insert(pixels.end(), 3, byte % 256);
  const int width = static_cast<int>(pixels.size()) / 3;
  for (const PixelRows* rows : {&PlainPixelRows(), &BestPixelRows()}) {
    for (const bool mirror : {false, true}) {
      for (int first = 0; first < 8; ++first) {
        const int count = width - first;
        std::vector<float> planes(3 * count + 1, -99.0f);
        rows->normalise(pixels.data() + 3 * first, count, mirror, planes.data(),
                        planes.data() + count, planes.data() + 2 * count);
        for (int c = 0; c < 3; ++c) {
          for (int x = 0; x < count; ++x) {
            const int pixel = first + (mirror ? count - 1 - x : x);
            ASSERT_EQ(planes[c * count + x], NormaliseTable()[c][pixel % 256]) << c << " " << x;
          }
        }
        EXPECT_EQ(planes.back(), -99.0f);
      }
    }
  }
}

TEST(PixelRowsTest, ChannelsStayApart) {
  RandomStream stream(1, "bytes", {});
  for (int width = 1; width < 40; ++width) {
    const std::vector<uint8_t> pixels = RandomBytes(3 * width, &stream);
    for (const bool mirror : {false, true}) {
      std::vector<float> planes(3 * width);
      BestPixelRows().normalise(pixels.data(), width, mirror, planes.data(), planes.data() + width,
                                planes.data() + 2 * width);
      for (int i = 0; i < 3 * width; ++i) {
        const int x = i % width;
        const uint8_t byte = pixels[3 * (mirror ? width - 1 - x : x) + i / width];
        ASSERT_EQ(planes[i], NormaliseTable()[i / width][byte]);
      }
    }
  }
}

TEST(PixelRowsTest, AllProcessorsResizeToTheSameBytes) {
  RandomStream stream(2, "rows", {});
  int close = 0;
  for (int round = 0; round < 500; ++round) {
    const int taps = 1 + static_cast<int>(stream.UniformInt(9));
    const int width = 1 + static_cast<int>(stream.UniformInt(70));
    const int readable = taps + static_cast<int>(stream.UniformInt(50));
    std::vector<uint8_t> row = RandomBytes(3 * readable, &stream);
    // White must stay white although the sum of the weights is a little more than one.
    if (round % 5 == 0) std::fill(row.begin(), row.end(), 255);
    std::vector<int> first;
    std::vector<int32_t> weights;
    for (int x = 0; x < width; ++x) {
      // Anywhere, or close as in a picture that becomes larger.
      first.push_back(round % 2 == 0 ? static_cast<int>(stream.UniformInt(readable - taps + 1))
                                     : std::min(x * 4 / (4 + round % 7), readable - taps));
      const std::vector<int32_t> own = RandomWeights(taps, &stream);
      weights.insert(weights.end(), own.begin(), own.end());
    }
    std::sort(first.begin(), first.end());
    // One extra byte, which must not be written.
    std::vector<uint8_t> plain(3 * width + 1, 7), best(3 * width + 1, 7);
    const RowTaps row_taps = MakeRowTaps(taps, first, weights);
    close += row_taps.starts.empty() ? 0 : 1;
    PlainPixelRows().along_x(row.data(), readable, row_taps, plain.data());
    BestPixelRows().along_x(row.data(), readable, row_taps, best.data());
    ASSERT_EQ(best, plain) << "along x, round " << round;

    const std::vector<uint8_t> rows = RandomBytes(static_cast<size_t>(3) * width * taps, &stream);
    PlainPixelRows().along_y(rows.data(), weights.data(), taps, 3 * width, plain.data());
    BestPixelRows().along_y(rows.data(), weights.data(), taps, 3 * width, best.data());
    ASSERT_EQ(best, plain) << "along y, round " << round;
  }
  // Both ways along x were tried.
  EXPECT_GT(close, 100);
  EXPECT_LT(close, 450);
}

}  // namespace
}  // namespace op3d::data
