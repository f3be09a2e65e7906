// In its own program, because a received signal stays set.
#include <csignal>

#include "data/loader/loader.h"
#include "data/loader/testing/test_videos.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

TEST(LoaderInterruptTest, ASignalEndsTheLoader) {
  const std::vector<Video> videos = MakeTestVideos(6, "interrupt");
  EvaluationLoaderOptions options;
  options.shape = {1, 4, 1};
  options.transform.set_train_crop(16);
  options.transform.set_min_area(1);
  options.transform.set_max_area(1);
  options.transform.set_search_short_side(16);
  options.transform.set_search_crop(16);
  options.transform.set_test_short_side(16);
  options.transform.set_test_crop(16);
  options.batch_size = 1;
  options.on_bad_video = LoaderSettings::SKIP;  // a signal is no bad video
  options.prefetch_mib = 0;
  FrameStore store(0);
  InstallInterruptHandler();
  std::vector<std::unique_ptr<ClipLoader>> loaders;
  Batch batch;
  for (const int threads : {0, 3}) {
    options.threads = threads;
    ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForSearch(videos, &store, options));
    ASSERT_OK_AND_ASSIGN(const bool more, loader->Next(&batch));
    EXPECT_TRUE(more);
    loaders.push_back(std::move(loader));
  }
  TrainLoaderOptions deaf;
  deaf.shape = options.shape;
  deaf.transform = options.transform;
  deaf.batch_size = 1;
  deaf.handle_signals = false;
  ASSERT_OK_AND_ASSIGN(auto unmoved, ClipLoader::ForTraining(videos, &store, deaf));
  std::raise(SIGINT);
  for (size_t i = 0; i < videos.size(); ++i) EXPECT_THAT(unmoved->Next(&batch), IsOk());
  for (auto& loader : loaders) {
    absl::StatusOr<bool> more = loader->Next(&batch);
    // One batch may already have been ready.
    if (more.ok()) more = loader->Next(&batch);
    EXPECT_THAT(more, StatusIs(absl::StatusCode::kCancelled, HasSubstr("SIGINT")));
  }
}

}  // namespace
}  // namespace op3d::data
