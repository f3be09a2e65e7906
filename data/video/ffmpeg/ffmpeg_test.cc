#include "data/video/ffmpeg/ffmpeg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

TEST(FfmpegStatusTest, KeepsFfmpegsWordsAndTellsTheKinds) {
  EXPECT_THAT(FfmpegStatus(0, "x"), IsOk());
  EXPECT_THAT(FfmpegStatus(17, "x"), IsOk());
  EXPECT_THAT(FfmpegStatus(AVERROR(ENOENT), "clip.mp4"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("clip.mp4: No such file")));
  EXPECT_THAT(FfmpegStatus(AVERROR_INVALIDDATA, "x"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("Invalid data")));
  EXPECT_THAT(FfmpegStatus(AVERROR(ENOMEM), "x"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("memory")));
  EXPECT_THAT(FfmpegStatus(AVERROR_DECODER_NOT_FOUND, "x"),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("Decoder not found")));
  EXPECT_THAT(FfmpegStatus(AVERROR(EPERM), "x"),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("not permitted")));
}

TEST(FfmpegLogTest, CountsWarningsAndKeepsTheFirst) {
  FfmpegLog log;
  av_log(nullptr, AV_LOG_INFO, "chatter\n");
  EXPECT_EQ(log.count(), 0);
  av_log(nullptr, AV_LOG_WARNING, "odd %d\n", 7);
  av_log(nullptr, AV_LOG_ERROR, "worse\n");
  EXPECT_EQ(log.count(), 2);
  EXPECT_EQ(log.first(), "odd 7");
}

TEST(FfmpegLogTest, TheInnermostCounts) {
  FfmpegLog outer;
  {
    FfmpegLog inner;
    av_log(nullptr, AV_LOG_ERROR, "in\n");
    EXPECT_EQ(inner.count(), 1);
  }
  EXPECT_EQ(outer.count(), 0);
  av_log(nullptr, AV_LOG_ERROR, "out\n");
  EXPECT_EQ(outer.first(), "out");
}

TEST(FfmpegLogTest, NamesTheObjectWithoutItsAddress) {
  FfmpegLog log;
  const CodecPtr codec(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MPEG4)));
  av_log(codec.get(), AV_LOG_ERROR, "bad\n");
  EXPECT_EQ(log.first(), "mpeg4: bad");
}

TEST(MemoryFileTest, WritesAndOverwrites) {
  MemoryFile file;
  avio_write(file.stream(), reinterpret_cast<const unsigned char*>("0123456789"), 10);
  avio_seek(file.stream(), 3, SEEK_SET);
  avio_write(file.stream(), reinterpret_cast<const unsigned char*>("ab"), 2);
  avio_seek(file.stream(), 12, SEEK_SET);
  avio_w8(file.stream(), 'z');
  avio_flush(file.stream());
  EXPECT_EQ(file.bytes(), std::string("012ab56789\0\0z", 13));
}

}  // namespace
}  // namespace op3d::data
