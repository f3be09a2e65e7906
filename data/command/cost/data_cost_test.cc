#include "data/command/cost/data_cost.h"

#include <stdlib.h>

#include "data/loader/testing/test_videos.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TransformSettings Transform() {
  TransformSettings settings;
  settings.set_train_crop(16);
  settings.set_min_area(0.5);
  settings.set_max_area(1);
  settings.set_search_short_side(18);
  settings.set_search_crop(16);
  settings.set_test_short_side(20);
  settings.set_test_crop(16);
  return settings;
}

TEST(DataCostTest, MeasuresVideosAndTheirCopies) {
  const std::vector<Video> videos = MakeTestVideos(8, "data_cost");
  LoaderSettings loader;
  ASSERT_OK_AND_ASSIGN(const DataCost cost,
                       MeasureDataCost(videos, {1, 8, 1}, loader, Transform()));
  EXPECT_EQ(cost.videos, 6);
  EXPECT_EQ(cost.frames, 8);
  EXPECT_EQ(cost.short_side, 20);
  EXPECT_FALSE(cost.kept);
  EXPECT_GT(cost.seconds, 0);
  EXPECT_GT(cost.transcoded_seconds, 0);
  EXPECT_GT(cost.packed_seconds, 0);
  EXPECT_GT(cost.gpu_seconds, 0);
  EXPECT_GT(cost.gpu_transcoded_seconds, 0);
  EXPECT_GT(cost.transcoded_bytes, 0);
  // 188 frames of 26x20, and one page of header a video.
  EXPECT_EQ(cost.packed_bytes, 188 * 26 * 20 * 3 + 8 * 4096);
  loader.set_frame_cache_mib(100);
  ASSERT_OK_AND_ASSIGN(const DataCost kept,
                       MeasureDataCost(videos, {1, 8, 1}, loader, Transform()));
  EXPECT_TRUE(kept.kept);
}

TEST(DataCostTest, TheShareIsOfTheProcessorsOrOfAWaitingGpu) {
  EXPECT_DOUBLE_EQ(DataShare(0.01, {0.03, 0, "", ""}), 0.25);
  EXPECT_DOUBLE_EQ(DataShare(0.02, {0.01, 1, "", ""}), 0.5);
  EXPECT_DOUBLE_EQ(DataShare(0.02, {0.01, 2, "", ""}), 0);
  EXPECT_DOUBLE_EQ(DataShare(0, {0, 0, "", ""}), 0);
}

TEST(DataCostTest, CopiesAreOnlyMentionedWhereTheyHelp) {
  DataCost cost = {16, 6, 0.010, 0.002, 0.0005, 64, 120 << 20, int64_t{3} << 29, false};
  const DataCostContext context = {0.040, 0, "/data/ucf", "ucf101"};
  EXPECT_EQ(DescribeDataCost(cost, context),
            "data: a clip of 16 frames costs 10.00 ms of processor time (6 videos measured), 20 % "
            "of the training\n"
            "  with a transcoded copy: 2.00 ms (5 %), about 120 MiB of disk: dataset transcode "
            "/data/ucf --dataset=ucf101 --short_side=64 --output_dir=NEW\n"
            "  with a pack: 0.50 ms (1 %), about 1.5 GiB of disk: dataset pack /data/ucf "
            "--dataset=ucf101 --short_side=64 --output_dir=NEW\n");
  EXPECT_THAT(DescribeDataCost(cost, {0.4, 0, "/data/ucf", "ucf101"}),
              AllOf(HasSubstr(", 2 % of the training"), Not(HasSubstr("copy"))));
  cost.packed_bytes = int64_t{1} << 40;
  EXPECT_THAT(DescribeDataCost(cost, context), Not(HasSubstr("a pack")));
  cost.transcoded_seconds = 0.0099;
  EXPECT_THAT(DescribeDataCost(cost, context), Not(HasSubstr("copy")));
  EXPECT_EQ(DescribeDataCost(absl::DataLossError("a.mp4 does not decode"), context),
            "data: not measured: a.mp4 does not decode\n");
}

TEST(DataCostTest, SaysWhetherTheLoadersFeedAGpu) {
  const DataCost cost = {16, 6, 0.050, 0.020, 0.001, 256, 120 << 20, int64_t{3} << 29, false};
  // 16 / 0.05; 1100 * 0.05 = 55, 1100 * 0.02 = 22, 1100 * 0.001 = 1.1.
  EXPECT_THAT(DescribeDataCost(cost, {1.0 / 1100, 16, "/data/k400", "kinetics400"}),
              HasSubstr("71 % of the training waits for it\n"
                        "  warning: the GPU is not fed: 16 loader threads give 320 clips/s; it "
                        "trains 1100 clips/s and needs 55 (from a transcoded copy 22, from a pack "
                        "2)\n"
                        "  with a transcoded copy: 20.00 ms"));
  EXPECT_THAT(DescribeDataCost(cost, {1.0 / 1100, 60, "/data/k400", "kinetics400"}),
              AllOf(HasSubstr(", 0 % of the training waits for it\n"), Not(HasSubstr("clips/s"))));
  // Without a GPU: what one would need.
  DataCostContext elsewhere = {2.0, 0, "/data/k400", "kinetics400", 1, 1100};
  EXPECT_EQ(DescribeDataCost(cost, elsewhere),
            "data: a clip of 16 frames costs 50.00 ms of processor time (6 videos measured), 2 % "
            "of the training\n"
            "  on a GPU: 1 loader thread gives 20.0 clips/s; an H200 would train about 1100 "
            "clips/s and needs 55 (from a transcoded copy 22, from a pack 2)\n");
  // A GPU that makes the clips itself needs fewer threads; the line before is still the CPU's.
  DataCost planes = cost;
  planes.gpu_seconds = 0.040;
  planes.gpu_transcoded_seconds = 0.010;
  EXPECT_THAT(DescribeDataCost(planes, elsewhere),
              AllOf(HasSubstr("costs 50.00 ms"),
                    HasSubstr("gives 25.0 clips/s; an H200 would train about 1100 clips/s and "
                              "needs 44 (from a transcoded copy 11, from a pack 2)\n")));
  const DataCostContext gpu = {1.0 / 1100, 16, "/data/k400", "kinetics400"};
  EXPECT_THAT(DescribeDataCost(planes, gpu),
              AllOf(HasSubstr("costs 40.00 ms"), HasSubstr("needs 44 (from a transcoded copy 11")));
  for (DataCostContext mixed : {elsewhere, gpu}) {
    mixed.mixes = true;
    EXPECT_EQ(DescribeDataCost(planes, mixed), DescribeDataCost(cost, mixed));
  }
  elsewhere.gpu_clips = 0;
  EXPECT_THAT(DescribeDataCost(cost, elsewhere), Not(HasSubstr("clips/s")));
  // Copies that were not measured are not spoken of.
  EXPECT_THAT(DescribeDataCost(DataCost{16, 6, 0.050}, {1.0 / 1100, 16, "/data/k400", "k"}),
              HasSubstr("trains 1100 clips/s and needs 55\n"));
}

TEST(DataCostTest, NoTemporaryFolderIsNoReasonToStop) {
  const std::vector<Video> videos = MakeTestVideos(2, "no_temporary");
  ASSERT_EQ(setenv("TMPDIR", "/no/such/folder", 1), 0);
  const absl::StatusOr<DataCost> cost =
      MeasureDataCost(videos, {1, 8, 1}, LoaderSettings(), Transform());
  ASSERT_EQ(unsetenv("TMPDIR"), 0);
  ASSERT_THAT(cost, IsOk());
  EXPECT_GT(cost->seconds, 0);
  EXPECT_EQ(cost->packed_seconds, 0);
}

}  // namespace
}  // namespace op3d::data
