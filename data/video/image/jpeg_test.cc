#include "data/video/image/jpeg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kManyPixels = 1 << 20;

// A smooth ramp, which JPEG stores accurately.
RgbImage Ramp(int width, int height) {
  RgbImage image = {width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.insert(
          image.pixels.end(),
          {static_cast<uint8_t>(2 * x), static_cast<uint8_t>(3 * y), static_cast<uint8_t>(x + y)});
    }
  }
  return image;
}

TEST(JpegTest, KeepsAPicture) {
  const RgbImage image = Ramp(50, 31);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodeJpeg(image, 95));
  JpegDecoder decoder;
  ASSERT_OK_AND_ASSIGN(const JpegSize size, decoder.ReadSize(bytes));
  EXPECT_EQ(size.width, 50);
  EXPECT_EQ(size.height, 31);
  RgbImage decoded;
  ASSERT_THAT(decoder.Decode(bytes, kManyPixels, &decoded), IsOk());
  ASSERT_EQ(decoded.pixels.size(), image.pixels.size());
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    ASSERT_LE(std::abs(decoded.pixels[i] - image.pixels[i]), 8) << i;
  }
  std::vector<uint8_t> grey;
  ASSERT_OK_AND_ASSIGN(const JpegSize grey_size, decoder.DecodeGrey(bytes, kManyPixels, &grey));
  EXPECT_EQ(grey_size.width, 50);
  ASSERT_EQ(grey.size(), 50 * 31);
  for (size_t i = 0; i < grey.size(); ++i) {
    const uint8_t* rgb = &image.pixels[3 * i];
    ASSERT_NEAR(grey[i], 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2], 4.0) << i;
  }
}

TEST(JpegTest, RefusesHalfAPicture) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodeJpeg(Ramp(64, 48), 90));
  JpegDecoder decoder;
  RgbImage image;
  EXPECT_THAT(decoder.Decode(bytes.substr(0, bytes.size() - 200), kManyPixels, &image),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("damaged")));
  EXPECT_THAT(decoder.Decode("", kManyPixels, &image),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("empty")));
  EXPECT_THAT(decoder.Decode("\x89PNG and more", kManyPixels, &image),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a JPEG")));
  // The decoder still works afterwards.
  EXPECT_THAT(decoder.Decode(bytes, kManyPixels, &image), IsOk());
}

TEST(JpegTest, RefusesMorePixelsThanTheLimit) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodeJpeg(Ramp(64, 48), 90));
  JpegDecoder decoder;
  RgbImage image;
  EXPECT_THAT(decoder.Decode(bytes, 64 * 48 - 1, &image),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("64x48"), HasSubstr("limit of 3071"))));
  EXPECT_THAT(decoder.Decode(bytes, 64 * 48, &image), IsOk());
}

TEST(JpegTest, RefusesWhatCannotBeWritten) {
  EXPECT_THAT(EncodeJpeg({}, 90),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("quality")));
  EXPECT_THAT(EncodeJpeg(Ramp(8, 8), 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("quality")));
}

TEST(JpegTest, AGreyPictureComesBack) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 24 * 16; ++i) pixels.push_back(static_cast<uint8_t>(100 + i % 24));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodeGreyJpeg(pixels, {24, 16}, 95));
  JpegDecoder decoder;
  std::vector<uint8_t> decoded;
  ASSERT_OK_AND_ASSIGN(const JpegSize size, decoder.DecodeGrey(bytes, 1 << 20, &decoded));
  EXPECT_EQ(size.width, 24);
  EXPECT_EQ(size.height, 16);
  for (size_t i = 0; i < pixels.size(); ++i) EXPECT_NEAR(decoded[i], pixels[i], 3);
  EXPECT_THAT(EncodeGreyJpeg(pixels, {24, 17}, 95),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("24x17")));
}

}  // namespace
}  // namespace op3d::data
