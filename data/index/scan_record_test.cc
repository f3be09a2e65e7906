#include "data/index/scan_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/index/index.pb.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

VideoScan ConstantRate(int64_t frames) {
  VideoScan scan;
  scan.info.frames = frames;
  scan.info.width = 340;
  scan.info.height = 256;
  scan.info.codec = "h264";
  scan.index.time_unit = 1.0 / 12800;
  for (int64_t k = 0; k < frames; ++k) {
    scan.index.times.push_back(1024 + 512 * k);
    if (k % 250 == 0) scan.index.entries.push_back(k);
  }
  scan.info.pts_seconds = scan.index.Seconds();
  scan.index.reorder_depth = 2;
  return scan;
}

void ExpectSame(const VideoScan& a, const VideoScan& b) {
  EXPECT_EQ(a.info.frames, b.info.frames);
  EXPECT_EQ(a.info.width, b.info.width);
  EXPECT_EQ(a.info.height, b.info.height);
  EXPECT_EQ(a.info.rotation, b.info.rotation);
  EXPECT_EQ(a.info.codec, b.info.codec);
  EXPECT_EQ(a.info.pts_seconds, b.info.pts_seconds);
  EXPECT_EQ(a.info.warnings, b.info.warnings);
  EXPECT_EQ(a.index.times, b.index.times);
  EXPECT_EQ(a.index.doubt, b.index.doubt);
  EXPECT_EQ(a.index.unpacked, b.index.unpacked);
  EXPECT_EQ(a.index.entries, b.index.entries);
  EXPECT_EQ(a.index.reorder_depth, b.index.reorder_depth);
  EXPECT_EQ(a.index.time_unit, b.index.time_unit);
}

TEST(ScanRecordTest, KeepsEverything) {
  ASSERT_OK_AND_ASSIGN(VideoScan decoded, DecodeScan(EncodeScan(ConstantRate(300)), 1000));
  ExpectSame(decoded, ConstantRate(300));
  VideoScan odd = ConstantRate(5);
  odd.info.rotation = 270;
  odd.info.warnings = {"one", "two"};
  odd.index.times = {-90, -7, -6, 1000, 5'000'000'000};
  odd.index.entries = {0, 3};
  odd.index.doubt = "it has empty packets";
  odd.index.unpacked = true;
  odd.info.pts_seconds = odd.index.Seconds();
  ASSERT_OK_AND_ASSIGN(decoded, DecodeScan(EncodeScan(odd), 5));
  ExpectSame(decoded, odd);
}

TEST(ScanRecordTest, KeepsStoredFrames) {
  VideoScan scan;
  scan.info.frames = 42;
  scan.info.width = 176;
  scan.info.height = 100;
  scan.info.codec = "jpeg";
  ASSERT_OK_AND_ASSIGN(const VideoScan decoded, DecodeScan(EncodeScan(scan), 100));
  ExpectSame(decoded, scan);
  EXPECT_THAT(decoded.info.pts_seconds, IsEmpty());
}

TEST(ScanRecordTest, IsShortForAConstantRate) {
  EXPECT_LT(EncodeScan(ConstantRate(250)).size(), 60);
  EXPECT_LT(EncodeScan(ConstantRate(10000)).size(), 64);
}

TEST(ScanRecordTest, RefusesWhatCannotBe) {
  const auto decode = [](auto change) {
    ScanRecord record;
    EXPECT_TRUE(record.ParseFromString(EncodeScan(ConstantRate(10))));
    change(&record);
    return DecodeScan(record.SerializeAsString(), 1000);
  };
  EXPECT_THAT(decode([](ScanRecord*) {}), IsOk());
  const auto damaged = [](const char* what) {
    return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what));
  };
  EXPECT_THAT(decode([](ScanRecord* r) { r->set_frames(11); }), damaged("10 times of 11 frames"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->set_frames(0); }), damaged("without frames"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->set_rotation(45); }), damaged("45 degrees"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->set_reorder_depth(-1); }), damaged("out of order"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->mutable_times()->set_runs(0, 1LL << 60); }),
              damaged("too many"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->mutable_times()->set_steps(0, 1LL << 61); }),
              damaged("overflows"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->mutable_times()->set_steps(0, 0); }),
              damaged("increase"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->mutable_times()->add_steps(1); }), damaged("steps"));
  EXPECT_THAT(decode([](ScanRecord* r) { r->mutable_entries()->set_first(10); }),
              damaged("outside"));
  EXPECT_THAT(DecodeScan("no record", 10), damaged("not a record"));
  EXPECT_THAT(DecodeScan(EncodeScan(ConstantRate(10)), 9),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("loader.max_frames of 9")));
}

TEST(ScanRecordTest, SurvivesDamage) {
  const std::string whole = EncodeScan(ConstantRate(300));
  RandomStream stream(5, "damage", {});
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    bytes[stream.UniformInt(bytes.size())] = static_cast<char>(stream());
    const auto scan = DecodeScan(bytes, 1000);
    if (scan.ok() && !scan->index.times.empty()) {
      EXPECT_EQ(scan->index.times.size(), scan->info.frames);
    }
  }
}

}  // namespace
}  // namespace op3d::data
