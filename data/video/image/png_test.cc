#include "data/video/image/png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

uint8_t Paeth(int left, int above, int corner) {
  const int guess = left + above - corner;
  const int a = std::abs(guess - left), b = std::abs(guess - above), c = std::abs(guess - corner);
  return static_cast<uint8_t>(a <= b && a <= c ? left : b <= c ? above : corner);
}

// A decoder of eight-bit RGB, written from the standard (ISO/IEC 15948).
std::vector<uint8_t> DecodePng(const std::string& bytes, int width, int height) {
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::string packed;
  for (size_t at = 8; at + 12 <= bytes.size();) {
    const uint32_t length = BigEndian(bytes, at);
    const std::string type = bytes.substr(at + 4, 4);
    if (type == "IHDR") {
      EXPECT_EQ(BigEndian(bytes, at + 8), width);
      EXPECT_EQ(BigEndian(bytes, at + 12), height);
      EXPECT_EQ(bytes.substr(at + 16, 5), std::string("\x08\x02\x00\x00\x00", 5));
    }
    if (type == "IDAT") packed += bytes.substr(at + 8, length);
    at += 12 + length;
  }
  const size_t row = static_cast<size_t>(width) * 3;
  std::vector<uint8_t> raw((row + 1) * height);
  uLongf size = raw.size();
  EXPECT_EQ(
      uncompress(raw.data(), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
      Z_OK);
  std::vector<uint8_t> pixels(row * height);
  for (int y = 0; y < height; ++y) {
    const uint8_t filter = raw[y * (row + 1)];
    for (size_t i = 0; i < row; ++i) {
      const int left = i < 3 ? 0 : pixels[y * row + i - 3];
      const int above = y == 0 ? 0 : pixels[(y - 1) * row + i];
      const int corner = y == 0 || i < 3 ? 0 : pixels[(y - 1) * row + i - 3];
      const int guesses[] = {0, left, above, (left + above) / 2, Paeth(left, above, corner)};
      pixels[y * row + i] = static_cast<uint8_t>(raw[y * (row + 1) + 1 + i] + guesses[filter]);
    }
  }
  return pixels;
}

TEST(PngTest, KeepsEveryByte) {
  for (const int width : {1, 7, 64, 101}) {
    RgbImage image = {width, 33, std::vector<uint8_t>(width * 33 * 3)};
    RandomStream stream(1, "pixels", {width});
    for (uint8_t& byte : image.pixels) byte = static_cast<uint8_t>(stream());
    ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodePng(image));
    EXPECT_EQ(DecodePng(bytes, width, 33), image.pixels);
    ASSERT_OK_AND_ASSIGN(const std::string again, EncodePng(image));
    EXPECT_EQ(again, bytes);
  }
}

TEST(PngTest, RefusesAnEmptyPicture) {
  EXPECT_THAT(EncodePng({}),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("0x0")));
}

}  // namespace
}  // namespace op3d::data
