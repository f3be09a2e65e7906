#include "data/loader/frame_store.h"

#include <thread>

#include "data/loader/testing/test_videos.h"
#include "data/transform/testing/test_picture.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kFrameBytes = kTestWidth * kTestHeight * 3;
const std::vector<int64_t> kWanted = {0, 3, 4, 17};

// The frames that a store returns, after checking their order.
std::vector<RgbImage> Read(FrameStore* store, const Video& video,
                           const std::vector<int64_t>& indices) {
  std::vector<RgbImage> frames;
  EXPECT_THAT(store->Read(video, indices,
                          [&](int64_t k, const RgbImage& image) {
                            EXPECT_EQ(k, indices[frames.size()]);
                            frames.push_back(image);
                            return absl::OkStatus();
                          }),
              IsOk());
  EXPECT_EQ(frames.size(), indices.size());
  return frames;
}

TEST(FrameStoreTest, GivesTheReadersFramesForAnyBudget) {
  const std::vector<Video> videos = MakeTestVideos(2, "store");
  for (const int64_t budget : {int64_t{0}, kFrameBytes, 21 * kFrameBytes, int64_t{1} << 30}) {
    FrameStore store(budget);
    for (int round = 0; round < 2; ++round) {
      for (const Video& video : videos) {
        const std::vector<RgbImage> truth = DecodeAll(video);
        const std::vector<RgbImage> frames = Read(&store, video, kWanted);
        for (size_t i = 0; i < kWanted.size(); ++i) {
          EXPECT_EQ(frames[i].width, kTestWidth);
          EXPECT_EQ(frames[i].pixels, truth[kWanted[i]].pixels);
        }
      }
    }
  }
}

TEST(FrameStoreTest, PartsAreThoseOfWholeFrames) {
  const std::vector<Video> videos = MakeTestVideos(1, "store");
  const std::vector<RgbImage> truth = DecodeAll(videos[0]);
  const Box wanted = {3, 5, kTestWidth - 7, kTestHeight - 6};
  for (const int64_t budget : {int64_t{0}, int64_t{1} << 30}) {
    FrameStore store(budget);
    for (int round = 0; round < 2; ++round) {
      int asked = 0;
      const auto part_of = [&](int width, int height) -> absl::StatusOr<Box> {
        ++asked;
        EXPECT_EQ(width, kTestWidth);
        EXPECT_EQ(height, kTestHeight);
        return wanted;
      };
      const auto compare = [&](int64_t k, const RgbImage& image, const Box& part) {
        EXPECT_EQ(image.width, part.width);
        const Box inside = {wanted.left - part.left, wanted.top - part.top, wanted.width,
                            wanted.height};
        EXPECT_EQ(CutOut(image, inside).pixels, CutOut(truth[k], wanted).pixels);
        return absl::OkStatus();
      };
      EXPECT_THAT(store.ReadParts(videos[0], kWanted, part_of, compare), IsOk());
      EXPECT_EQ(asked, 1);
      // Reading a part has no effect on the next reading.
      EXPECT_EQ(Read(&store, videos[0], kWanted)[1].pixels, truth[kWanted[1]].pixels);
    }
    const auto refuse = [](int, int) -> absl::StatusOr<Box> { return absl::AbortedError("no"); };
    const auto outside = [](int width, int) -> absl::StatusOr<Box> {
      return Box{0, 0, width + 1, 1};
    };
    const auto ignore = [](int64_t, const RgbImage&, const Box&) { return absl::OkStatus(); };
    EXPECT_THAT(store.ReadParts(videos[0], kWanted, refuse, ignore),
                StatusIs(absl::StatusCode::kAborted, HasSubstr("no")));
    EXPECT_THAT(store.ReadParts(videos[0], kWanted, outside, ignore),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not lie in frames")));
  }
}

TEST(FrameStoreTest, KeepsWhatFits) {
  const std::vector<Video> videos = MakeTestVideos(2, "store");  // of 20 and 21 frames
  FrameStore store(40 * kFrameBytes);
  for (int round = 0; round < 3; ++round) {
    for (const Video& video : videos) Read(&store, video, kWanted);
  }
  const FrameStore::Counters counters = store.counters();
  EXPECT_EQ(counters.kept, 1);
  EXPECT_EQ(counters.hits, 2);
  EXPECT_EQ(counters.passed, 3);
  EXPECT_EQ(counters.bytes, 20 * kFrameBytes);
  EXPECT_GT(counters.decode_seconds, 0);
  EXPECT_GE(counters.reading.packets, counters.reading.decoded);
  EXPECT_GE(counters.reading.decoded, counters.reading.converted);
  EXPECT_GT(counters.reading.converted, 20);
}

TEST(FrameStoreTest, ThreadsThatAskAtOnceDecodeOnce) {
  const std::vector<Video> videos = MakeTestVideos(3, "store");
  FrameStore store(int64_t{1} << 30);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (const Video& video : videos) Read(&store, video, kWanted);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.counters().kept, 3);
  EXPECT_EQ(store.counters().hits, 8 * 3 - 3);
  EXPECT_EQ(store.counters().passed, 0);
}

TEST(FrameStoreTest, ErrorsNameTheFile) {
  const std::vector<Video> videos = MakeTestVideos(1, "store");
  const Video gone = {"gone", "/no/such/clip.mp4", 0, 10};
  auto ignore = [](int64_t, const RgbImage&) { return absl::OkStatus(); };
  for (const int64_t budget : {int64_t{0}, int64_t{1} << 30}) {
    FrameStore store(budget);
    for (int round = 0; round < 2; ++round) {
      EXPECT_THAT(store.Read(gone, {0}, ignore),
                  StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/clip.mp4")));
      EXPECT_THAT(store.Read(videos[0], {5, 20}, ignore),
                  StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("v0.mp4")));
      EXPECT_THAT(store.Read(videos[0], {-1}, ignore),
                  StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("-1")));
    }
    EXPECT_THAT(store.Read(gone, {}, ignore), IsOk());
  }
}

TEST(FrameStoreTest, TheSinksErrorEndsTheReading) {
  const std::vector<Video> videos = MakeTestVideos(1, "store");
  for (const int64_t budget : {int64_t{0}, int64_t{1} << 30}) {
    FrameStore store(budget);
    std::vector<int64_t> seen;
    EXPECT_THAT(store.Read(videos[0], kWanted,
                           [&](int64_t k, const RgbImage&) {
                             seen.push_back(k);
                             return k == 3 ? absl::AbortedError("enough") : absl::OkStatus();
                           }),
                StatusIs(absl::StatusCode::kAborted, HasSubstr("enough")));
    EXPECT_THAT(seen, ElementsAre(0, 3));
  }
}

TEST(FrameStoreTest, FastDecodingIsOffUnlessTheSettingsAskForIt) {
  VideoWriterOptions options;
  options.width = 64;
  options.height = 48;
  options.encoder = "mpeg4";
  options.container = "avi";
  ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(options));
  for (int k = 0; k < 3; ++k) {
    ASSERT_THAT(writer->Add({64, 48, std::vector<uint8_t>(64 * 48 * 3, 90)}), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const std::string bytes, writer->Finish());
  const std::string path = JoinPath(TestFolder("fast_store"), "a.avi");
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  const Video video = {"a", path, 0, 3};
  TransformSettings transform;
  transform.set_train_crop(16);
  transform.set_search_short_side(18);
  transform.set_test_short_side(20);
  LoaderSettings loader;
  const auto width = [&]() -> int {
    const auto store = FrameStore::Make(loader, transform);
    EXPECT_THAT(store, IsOk());
    return Read(store->get(), video, {1})[0].width;
  };
  EXPECT_EQ(width(), 64);
  loader.set_decode(LoaderSettings::EXACT);
  EXPECT_EQ(width(), 64);
  loader.set_decode(LoaderSettings::FAST);
  EXPECT_EQ(width(), 32);
  // Never smaller than the transform's own size.
  transform.set_test_short_side(25);
  EXPECT_EQ(width(), 64);
  loader.set_decode(static_cast<LoaderSettings::Decode>(9));
  EXPECT_THAT(FrameStore::Make(loader, transform),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("loader.decode is 9")));
}

TEST(FrameStoreTest, NvdecIsRefusedWhereItIsNotPossible) {
  LoaderSettings loader;
  loader.set_decode(LoaderSettings::NVDEC);
  // No machine has as many GPUs.
  EXPECT_THAT(FrameStore::Make(loader, TransformSettings(), /*gpu=*/99),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       testing::AllOf(HasSubstr("decoding by NVDEC"), HasSubstr("EXACT or FAST"))));
}

}  // namespace
}  // namespace op3d::data
