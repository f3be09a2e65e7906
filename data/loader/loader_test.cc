#include "data/loader/loader.h"

#include <set>

#include "data/loader/testing/test_videos.h"
#include "data/transform/clip_transform.h"
#include "data/transform/resize.h"
#include "data/video/stored/packed_video.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TransformSettings Settings() {
  TransformSettings settings;
  settings.set_train_crop(16);
  settings.set_min_area(0.4);
  settings.set_max_area(1);
  settings.set_jitter_probability(0.8);
  settings.set_brightness(0.4);
  settings.set_contrast(0.4);
  settings.set_grey_probability(0.2);
  settings.set_blur_probability(0.3);
  settings.set_horizontal_flip(true);
  settings.set_search_short_side(18);
  settings.set_search_crop(16);
  settings.set_test_short_side(20);
  settings.set_test_crop(16);
  return settings;
}

TrainLoaderOptions TrainOptions(int threads) {
  TrainLoaderOptions options;
  options.shape = {2, 3, 1};
  options.transform = Settings();
  options.batch_size = 3;
  options.seed = 11;
  options.epoch = 4;
  options.threads = threads;
  return options;
}

EvaluationLoaderOptions TestOptions(int threads) {
  EvaluationLoaderOptions options;
  options.shape = {1, 8, 2};
  options.transform = Settings();
  options.batch_size = 3;
  options.clips = 2;
  options.threads = threads;
  return options;
}

std::vector<Batch> All(ClipLoader* loader) {
  std::vector<Batch> batches;
  for (;;) {
    Batch batch;
    const absl::StatusOr<bool> more = loader->Next(&batch);
    EXPECT_THAT(more, IsOk());
    if (!more.ok() || !*more) return batches;
    batches.push_back(std::move(batch));
  }
}

// A clip computed in a simple way: [3, frames, size, size].
std::vector<float> PlainClip(const std::vector<RgbImage>& video, const std::vector<int64_t>& frames,
                             ClipTransform* transform, int crop) {
  const size_t plane = static_cast<size_t>(transform->size()) * transform->size();
  std::vector<float> out(3 * frames.size() * plane);
  for (size_t t = 0; t < frames.size(); ++t) {
    EXPECT_THAT(transform->Load(video[frames[t]]), IsOk());
    transform->Store(crop, out.data() + t * plane, frames.size() * plane);
  }
  return out;
}

std::vector<float> ViewOf(const Batch& batch, int view) {
  const size_t floats = batch.clips.size() / (batch.size * batch.views);
  return {batch.clips.begin() + view * floats, batch.clips.begin() + (view + 1) * floats};
}

class LoaderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { videos_ = new std::vector<Video>(MakeTestVideos(8, "loader")); }
  static void TearDownTestSuite() { delete videos_; }
  const std::vector<Video>& videos() const { return *videos_; }
  static std::vector<Video>* videos_;
  FrameStore store_{int64_t{64} << 20};
};
std::vector<Video>* LoaderTest::videos_ = nullptr;

TEST_F(LoaderTest, TrainingIsTheSameForAnyNumberOfThreadsAndAnyStore) {
  std::vector<Batch> first;
  for (const int threads : {0, 1, 2, 5}) {
    for (const int64_t budget : {int64_t{0}, int64_t{1} << 17, int64_t{1} << 30}) {
      FrameStore store(budget);
      ASSERT_OK_AND_ASSIGN(auto loader,
                           ClipLoader::ForTraining(videos(), &store, TrainOptions(threads)));
      EXPECT_EQ(loader->batches(), 2);
      const std::vector<Batch> batches = All(loader.get());
      ASSERT_EQ(batches.size(), 2);  // eight videos: two are dropped
      if (first.empty()) first = batches;
      for (int b = 0; b < 2; ++b) {
        EXPECT_EQ(batches[b].clips, first[b].clips) << threads << " threads, budget " << budget;
        EXPECT_EQ(batches[b].labels, first[b].labels);
        EXPECT_EQ(batches[b].videos, first[b].videos);
      }
      EXPECT_EQ(loader->counters().clips, 6);
    }
  }
}

TEST_F(LoaderTest, TrainingClipsAreWhatTheirStreamsSay) {
  const TrainLoaderOptions options = TrainOptions(2);
  ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForTraining(videos(), &store_, options));
  const std::vector<Batch> batches = All(loader.get());
  const std::vector<int64_t> order = RandomStream(11, "train.order", {4}).Permutation(8);
  for (int i = 0; i < 6; ++i) {
    const Batch& batch = batches[i / 3];
    const int64_t index = order[i];
    ASSERT_EQ(batch.videos[i % 3], index);
    EXPECT_EQ(batch.labels[i % 3], videos()[index].label);
    RandomStream stream(11, "train.clip", {4, index});
    const auto frames =
        TrainFrames(options.shape, videos()[index].frames, LoaderSettings::REPEAT_LAST, &stream);
    const TrainDraw draw = DrawTrainTransform(options.transform, kTestWidth, kTestHeight, &stream);
    ASSERT_OK_AND_ASSIGN(ClipTransform transform,
                         ClipTransform::ForTraining(draw, options.transform));
    EXPECT_EQ(ViewOf(batch, i % 3), PlainClip(DecodeAll(videos()[index]), frames, &transform, 0));
  }
}

TEST_F(LoaderTest, EpochsSeedsAndPurposesDiffer) {
  auto first_clips = [&](int64_t epoch, uint64_t seed, const std::string& purpose) {
    TrainLoaderOptions options = TrainOptions(0);
    options.epoch = epoch;
    options.seed = seed;
    options.purpose = purpose;
    auto loader = ClipLoader::ForTraining(videos(), &store_, options);
    EXPECT_THAT(loader, IsOk());
    return All(loader->get())[0].clips;
  };
  const std::set<std::vector<float>> different = {
      first_clips(1, 1, "train"), first_clips(2, 1, "train"), first_clips(1, 2, "train"),
      first_clips(1, 1, "other"), first_clips(1, 1, "train")};
  EXPECT_EQ(different.size(), 4);
}

TEST_F(LoaderTest, SharesAndLaterStartsArePartsOfTheWholeEpoch) {
  TrainLoaderOptions options = TrainOptions(0);
  options.batch_size = 1;
  ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForTraining(videos(), &store_, options));
  const std::vector<Batch> whole = All(loader.get());
  ASSERT_EQ(whole.size(), 8);
  options.shards = 3;
  for (options.shard = 0; options.shard < 3; ++options.shard) {
    for (options.first_batch = 0; options.first_batch < 4; ++options.first_batch) {
      ASSERT_OK_AND_ASSIGN(loader, ClipLoader::ForTraining(videos(), &store_, options));
      const std::vector<Batch> part = All(loader.get());
      size_t next = options.shard + 3 * options.first_batch;
      for (const Batch& batch : part) {
        ASSERT_LT(next, whole.size());
        EXPECT_EQ(batch.videos, whole[next].videos);
        EXPECT_EQ(batch.clips, whole[next].clips);
        next += 3;
      }
      EXPECT_GE(next, whole.size());
    }
  }
  EXPECT_THAT(ClipLoader::ForTraining(videos(), &store_, options).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("shard 3 of 3")));
}

TEST_F(LoaderTest, ABatchOfBadVideosKeepsItsPlaceInAnEpoch) {
  std::vector<Video> some = videos();
  some[2].path = "/no/such/video.mp4";
  TrainLoaderOptions options = TrainOptions(0);
  options.batch_size = 1;
  options.on_bad_video = LoaderSettings::SKIP;
  ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForTraining(some, &store_, options));
  const std::vector<Batch> batches = All(loader.get());
  ASSERT_EQ(batches.size(), 8);
  int empty = 0;
  for (const Batch& batch : batches) empty += batch.size == 0;
  EXPECT_EQ(empty, 1);
}

TEST_F(LoaderTest, ABadVideoIsReplacedByAnotherOne) {
  std::vector<Video> some = videos();
  some[2].path = "/no/such/video.mp4";
  std::vector<std::vector<Batch>> runs;
  for (const int threads : {0, 3}) {
    TrainLoaderOptions options = TrainOptions(threads);
    options.batch_size = 4;
    options.on_bad_video = LoaderSettings::SUBSTITUTE;
    ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForTraining(some, &store_, options));
    runs.push_back(All(loader.get()));
    EXPECT_EQ(loader->counters().skipped, 1);
    EXPECT_EQ(loader->counters().substituted, 1);
    EXPECT_EQ(loader->counters().clips, 8);
    EXPECT_THAT(loader->counters().examples, ElementsAre(HasSubstr("v2: ")));
  }
  std::multiset<int64_t> seen;
  ASSERT_EQ(runs[0].size(), 2);
  for (size_t b = 0; b < 2; ++b) {
    ASSERT_EQ(runs[0][b].size, 4);
    EXPECT_EQ(runs[1][b].videos, runs[0][b].videos);
    EXPECT_EQ(runs[1][b].clips, runs[0][b].clips);
    for (int i = 0; i < 4; ++i) {
      const int64_t video = runs[0][b].videos[i];
      seen.insert(video);
      EXPECT_EQ(runs[0][b].labels[i], some[video].label);
    }
  }
  // The seven others, one of them twice.
  EXPECT_EQ(seen.count(2), 0);
  EXPECT_EQ((std::set<int64_t>(seen.begin(), seen.end()).size()), 7);
}

TEST_F(LoaderTest, WhereNothingDecodesThereIsNoSubstitute) {
  std::vector<Video> none = videos();
  for (Video& video : none) video.path = "/no/such/video.mp4";
  TrainLoaderOptions options = TrainOptions(2);
  options.on_bad_video = LoaderSettings::SUBSTITUTE;
  ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForTraining(none, &store_, options));
  Batch batch;
  EXPECT_THAT(loader->Next(&batch),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("drawn to replace it")));
}

TEST_F(LoaderTest, SearchTakesTheCentreInListOrder) {
  for (const int threads : {0, 1, 2, 5}) {
    const EvaluationLoaderOptions options = TestOptions(threads);
    ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForSearch(videos(), &store_, options));
    const std::vector<Batch> batches = All(loader.get());
    ASSERT_EQ(batches.size(), 3);
    EXPECT_THAT(batches[0].videos, ElementsAre(0, 1, 2));
    EXPECT_THAT(batches[2].videos, ElementsAre(6, 7));
    EXPECT_EQ(batches[2].size, 2);
    EXPECT_EQ(batches[0].frames, 8);
    ASSERT_OK_AND_ASSIGN(ClipTransform transform,
                         ClipTransform::ForSearch(options.transform, kTestWidth, kTestHeight));
    for (int i = 0; i < 8; ++i) {
      const auto frames =
          CentreFrames(options.shape, videos()[i].frames, LoaderSettings::REPEAT_LAST);
      EXPECT_EQ(ViewOf(batches[i / 3], i % 3),
                PlainClip(DecodeAll(videos()[i]), frames, &transform, 0));
    }
  }
}

TEST_F(LoaderTest, TestTakesAllViewsFromOneDecoding) {
  for (const int threads : {0, 1, 2, 5}) {
    FrameStore store(0);
    const EvaluationLoaderOptions options = TestOptions(threads);
    ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForTest(videos(), &store, options));
    const std::vector<Batch> batches = All(loader.get());
    ASSERT_EQ(batches.size(), 8);
    EXPECT_EQ(store.counters().passed, 8);
    ASSERT_OK_AND_ASSIGN(ClipTransform transform,
                         ClipTransform::ForTest(options.transform, kTestWidth, kTestHeight));
    for (int i = 0; i < 8; ++i) {
      ASSERT_EQ(batches[i].size, 1);
      ASSERT_EQ(batches[i].views, 6);
      EXPECT_EQ(batches[i].videos[0], i);
      const std::vector<RgbImage> truth = DecodeAll(videos()[i]);
      for (int view = 0; view < 6; ++view) {
        const auto frames =
            TestFrames(options.shape, videos()[i].frames, view / 3, 2, LoaderSettings::REPEAT_LAST);
        EXPECT_EQ(ViewOf(batches[i], view), PlainClip(truth, frames, &transform, view % 3));
      }
    }
  }
}

TEST_F(LoaderTest, ShortVideosFollowTheSetting) {
  EvaluationLoaderOptions options = TestOptions(0);
  options.shape = {1, 32, 1};
  options.on_short_video = LoaderSettings::LOOP;
  ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForSearch({videos()[0]}, &store_, options));
  const std::vector<float> clip = All(loader.get())[0].clips;
  const size_t plane = 16 * 16;
  // Frame 20 of 20 is frame 0 again.
  EXPECT_TRUE(std::equal(clip.begin(), clip.begin() + plane, clip.begin() + 20 * plane));
}

TEST_F(LoaderTest, SeveralLoadersShareAStore) {
  std::vector<std::unique_ptr<ClipLoader>> loaders;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForSearch(videos(), &store_, TestOptions(2)));
    loaders.push_back(std::move(loader));
  }
  std::vector<std::vector<Batch>> batches;
  for (auto& loader : loaders) batches.push_back(All(loader.get()));
  EXPECT_EQ(batches[0][1].clips, batches[2][1].clips);
  EXPECT_EQ(store_.counters().kept, 8);
  EXPECT_EQ(store_.counters().hits, 16);
}

TEST_F(LoaderTest, ABadVideoIsNamedOrSkipped) {
  std::vector<Video> some = videos();
  some[4].path = "/no/such/clip.mp4";
  for (const int threads : {0, 2}) {
    EvaluationLoaderOptions options = TestOptions(threads);
    ASSERT_OK_AND_ASSIGN(auto loader, ClipLoader::ForSearch(some, &store_, options));
    Batch batch;
    ASSERT_THAT(loader->Next(&batch), IsOk());
    EXPECT_THAT(loader->Next(&batch), StatusIs(absl::StatusCode::kNotFound,
                                               AllOf(HasSubstr("v4: "), HasSubstr("/no/such"))));
    options.on_bad_video = LoaderSettings::SKIP;
    ASSERT_OK_AND_ASSIGN(auto skipping, ClipLoader::ForSearch(some, &store_, options));
    const std::vector<Batch> batches = All(skipping.get());
    EXPECT_THAT(batches[1].videos, ElementsAre(3, 5));
    EXPECT_EQ(skipping->counters().skipped, 1);
    EXPECT_THAT(skipping->counters().examples, ElementsAre(HasSubstr("v4: ")));
  }
}

TEST_F(LoaderTest, RefusesWhatCannotBe) {
  TrainLoaderOptions train = TrainOptions(0);
  train.batch_size = 9;
  EXPECT_THAT(
      ClipLoader::ForTraining(videos(), &store_, train),
      StatusIs(kInvalid, HasSubstr("a batch of 9 videos, but the training list has only 8")));
  train.batch_size = 0;
  EXPECT_THAT(ClipLoader::ForTraining(videos(), &store_, train),
              StatusIs(kInvalid, HasSubstr("at least 1")));
  EXPECT_THAT(ClipLoader::ForTraining({}, &store_, TrainOptions(0)),
              StatusIs(kInvalid, HasSubstr("is empty")));
  EvaluationLoaderOptions test = TestOptions(0);
  EXPECT_THAT(ClipLoader::ForTest({}, &store_, test), StatusIs(kInvalid, HasSubstr("is empty")));
  EXPECT_THAT(ClipLoader::ForSearch({{"x", "x.mp4", 0, 0}}, &store_, test),
              StatusIs(kInvalid, HasSubstr("the video x has 0 frames")));
  test.clips = 0;
  EXPECT_THAT(ClipLoader::ForTest(videos(), &store_, test),
              StatusIs(kInvalid, HasSubstr("0 clips")));
  test.threads = -1;
  EXPECT_THAT(ClipLoader::ForSearch(videos(), &store_, test),
              StatusIs(kInvalid, HasSubstr("-1 threads")));
  test = TestOptions(0);
  test.shape.stride = 0;
  EXPECT_THAT(ClipLoader::ForSearch(videos(), &store_, test),
              StatusIs(kInvalid, HasSubstr("stride 0")));
  test = TestOptions(0);
  test.transform.set_search_crop(100);
  EXPECT_THAT(ClipLoader::ForSearch(videos(), &store_, test),
              StatusIs(kInvalid, HasSubstr("search_crop")));
  EXPECT_THAT(ClipLoader::ForSearch(videos(), nullptr, TestOptions(0)),
              StatusIs(kInvalid, HasSubstr("frame store")));
}

// The pack of a video: its frames with a short side of `side`, resized once.
Video Packed(const Video& video, int side, const std::string& folder) {
  Video packed = video;
  packed.path = JoinPath(folder, video.name + ".packed");
  packed.scan.clear();
  const PictureSize size = ShortSideSize(kTestWidth, kTestHeight, side);
  auto resize = Resize::Make({0, 0, kTestWidth, kTestHeight}, size.width, size.height,
                             {0, 0, size.width, size.height});
  EXPECT_THAT(resize, IsOk());
  auto writer = PackedVideoWriter::Make(packed.path, {video.frames, size.width, size.height});
  EXPECT_THAT(writer, IsOk());
  for (const RgbImage& frame : DecodeAll(video)) {
    RgbImage small = {size.width, size.height, {}};
    small.pixels.resize(static_cast<size_t>(size.width) * size.height * 3);
    resize->Apply(frame.pixels.data(), {0, 0, kTestWidth, kTestHeight}, small.pixels.data());
    EXPECT_THAT((*writer)->Add(small), IsOk());
  }
  EXPECT_THAT((*writer)->Finish(), IsOk());
  return packed;
}

TEST_F(LoaderTest, APackOfTheTransformsSizeGivesTheSourcesBytes) {
  const std::vector<Video> videos = MakeTestVideos(3, "pack_source");
  std::vector<Video> packed, whole;
  const std::string small = TestFolder("pack_18"), large = TestFolder("pack_whole");
  for (const Video& video : videos) {
    packed.push_back(Packed(video, 18, small));
    whole.push_back(Packed(video, kTestHeight, large));
  }
  FrameStore source(0), pack(int64_t{64} << 20);
  EvaluationLoaderOptions options = TestOptions(2);
  options.transform.set_test_short_side(18);
  using Kind = absl::StatusOr<std::unique_ptr<ClipLoader>> (*)(std::vector<Video>, FrameStore*,
                                                               const EvaluationLoaderOptions&);
  for (const Kind kind : {&ClipLoader::ForSearch, &ClipLoader::ForTest}) {
    ASSERT_OK_AND_ASSIGN(const auto expected, kind(videos, &source, options));
    ASSERT_OK_AND_ASSIGN(const auto loader, kind(packed, &pack, options));
    const std::vector<Batch> want = All(expected.get()), got = All(loader.get());
    ASSERT_EQ(want.size(), got.size());
    for (size_t i = 0; i < want.size(); ++i) EXPECT_EQ(want[i].clips, got[i].clips);
  }
  // Frames that are in memory already are not kept again.
  EXPECT_EQ(pack.counters().kept, 0);
  EXPECT_EQ(pack.counters().bytes, 0);
  // Random crops are cut out of the packed pictures: equal where these have the source's size.
  ASSERT_OK_AND_ASSIGN(const auto expected,
                       ClipLoader::ForTraining(videos, &source, TrainOptions(1)));
  ASSERT_OK_AND_ASSIGN(const auto loader, ClipLoader::ForTraining(whole, &pack, TrainOptions(2)));
  EXPECT_EQ(All(expected.get())[0].clips, All(loader.get())[0].clips);
}

TEST_F(LoaderTest, ATestAsBytesHasTheSameViews) {
  const std::vector<Video> videos = MakeTestVideos(4, "byte_test");
  FrameStore store(0);
  ASSERT_OK_AND_ASSIGN(const auto floats, ClipLoader::ForTest(videos, &store, TestOptions(0)));
  const std::vector<Batch> want = All(floats.get());
  for (const int threads : {0, 3}) {
    EvaluationLoaderOptions options = TestOptions(threads);
    options.bytes = true;
    ASSERT_OK_AND_ASSIGN(const auto loader, ClipLoader::ForTest(videos, &store, options));
    Batch batch;
    for (const Batch& expected : want) {
      ASSERT_THAT(loader->Next(&batch), IsOk());
      EXPECT_TRUE(batch.clips.empty());
      ASSERT_EQ(batch.byte_views.size(), 1);
      EXPECT_EQ(batch.views, expected.views);
      EXPECT_EQ(batch.videos, expected.videos);
      std::vector<float> clips(expected.clips.size());
      NormaliseViews(batch.byte_views[0], 0, batch.views, clips.data());
      EXPECT_EQ(clips, expected.clips);
    }
    ASSERT_OK_AND_ASSIGN(const bool more, loader->Next(&batch));
    EXPECT_FALSE(more);
  }
}

// What NormaliseViews makes of a batch's bytes.
std::vector<float> Normalised(const Batch& batch) {
  std::vector<float> clips;
  for (const ByteViews& views : batch.byte_views) {
    const size_t before = clips.size();
    clips.resize(before + views.ValuesPerView() * batch.views);
    NormaliseViews(views, 0, batch.views, clips.data() + before);
  }
  return clips;
}

// Mirrored clips, those with colours and blur, and a skipped video among them.
TEST_F(LoaderTest, TrainingAndSearchAsBytesHaveTheSameClips) {
  std::vector<Video> some = videos();
  some[2].path = "/no/such.mp4";
  some[2].scan.clear();
  TrainLoaderOptions train = TrainOptions(2);
  train.on_bad_video = LoaderSettings::SKIP;
  EvaluationLoaderOptions search = TestOptions(2);
  search.on_bad_video = LoaderSettings::SKIP;
  search.search_clips = 2;
  std::vector<Batch> floats, bytes;
  for (const bool as_bytes : {false, true}) {
    train.bytes = search.bytes = as_bytes;
    std::vector<Batch>& batches = as_bytes ? bytes : floats;
    for (train.epoch = 0; train.epoch < 3; ++train.epoch) {
      ASSERT_OK_AND_ASSIGN(const auto loader, ClipLoader::ForTraining(some, &store_, train));
      for (Batch& batch : All(loader.get())) batches.push_back(std::move(batch));
    }
    ASSERT_OK_AND_ASSIGN(const auto loader, ClipLoader::ForSearch(some, &store_, search));
    for (Batch& batch : All(loader.get())) batches.push_back(std::move(batch));
  }
  ASSERT_EQ(bytes.size(), floats.size());
  bool mirrored = false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(bytes[i].videos, floats[i].videos);
    EXPECT_TRUE(bytes[i].clips.empty());
    ASSERT_EQ(bytes[i].byte_views.size(), static_cast<size_t>(bytes[i].size));
    EXPECT_EQ(Normalised(bytes[i]), floats[i].clips) << "batch " << i;
    for (const ByteViews& views : bytes[i].byte_views) mirrored |= views.mirror;
  }
  EXPECT_TRUE(mirrored);
}

}  // namespace
}  // namespace op3d::data
