#include "data/video/ffmpeg/ffmpeg_version.h"

#include <gmock/gmock.h>

namespace op3d::data {
namespace {

TEST(FfmpegVersionTest, NamesTheLibraryAndThreeNumbers) {
  EXPECT_THAT(FfmpegVersion(), testing::MatchesRegex("libavcodec [0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace op3d::data
