#include "data/synthetic/synthesizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "data/video/media.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

SynthesisOptions Few(const std::string& folder) {
  SynthesisOptions options;
  options.folder = folder;
  options.size = {10, 9, 2, 0, 0};
  return options;
}

// Path below `folder` -> content.
std::map<std::string, std::string> Contents(const std::string& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    contents[path.substr(folder.size() + 1)] = *ReadFile(path);
  }
  return contents;
}

TEST(SynthesizerTest, EqualOptionsGiveEqualBytesWithAnyThreads) {
  SynthesisOptions options = Few(TestFolder("one") + "/new/folder");
  ASSERT_THAT(Synthesize(options), IsOk());
  const auto once = Contents(options.folder);
  EXPECT_EQ(once.size(), 10 + 9 + 2 + 6);
  options.folder = TestFolder("two");
  options.threads = 2;
  ASSERT_THAT(Synthesize(options), IsOk());
  EXPECT_TRUE(once == Contents(options.folder));  // megabytes: nothing to print
}

// What a reader finds in the data set's storage.
struct Stored {
  const char* dataset;
  const char* codec;
  int frames;
};
class StorageTest : public testing::TestWithParam<Stored> {};

TEST_P(StorageTest, IsTheSameEveryTimeAndReadsAsTheRealOne) {
  SynthesisOptions options;
  options.dataset = GetParam().dataset;
  options.folder = TestFolder("one");
  options.size = {1, 1, 0, 0, 0};
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature(options.dataset));
  if (miniature.size.groups > 0) options.size = {0, 0, 0, 1, 1};
  ASSERT_THAT(Synthesize(options), IsOk());
  const auto once = Contents(options.folder);
  options.folder = TestFolder("two");
  options.threads = 2;
  ASSERT_THAT(Synthesize(options), IsOk());
  EXPECT_TRUE(once == Contents(options.folder));
  // A video, or the folder of its frames.
  std::string path;
  for (const auto& [name, content] : once) {
    for (const char* ending : {".mp4", ".mkv", ".webm", ".avi"}) {
      if (absl::EndsWith(name, ending)) path = name;
    }
    if (absl::EndsWith(name, "/00001.jpg")) path = name.substr(0, name.rfind('/'));
  }
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(JoinPath(options.folder, path)));
  EXPECT_EQ(scan.info.codec, GetParam().codec);
  EXPECT_EQ(scan.info.frames, GetParam().frames);
  EXPECT_EQ(scan.info.width, 64);
  EXPECT_EQ(scan.info.height, 48);
}

INSTANTIATE_TEST_SUITE_P(All, StorageTest,
                         testing::Values(Stored{"activitynet", "h264", 288},
                                         Stored{"hmdb51", "mpeg4", 96},
                                         Stored{"something_something_v1", "jpeg", 72},
                                         Stored{"something_something_v2", "vp9", 72},
                                         Stored{"ucf101", "mpeg4", 80}),
                         [](const auto& info) { return std::string(info.param.dataset); });

TEST(SynthesizerTest, VideosDependOnTheSeedAndTheSplitOnly) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("kinetics400"));
  const auto bytes = [&](absl::string_view split, int index, uint64_t seed) {
    return Crc32(
        *EncodeRendering(RenderingOf(miniature, split, index, seed), miniature.encodings[0]));
  };
  EXPECT_EQ(bytes("train", 3, 1), bytes("train", 3, 1));
  EXPECT_NE(bytes("train", 3, 1), bytes("val", 3, 1));
  EXPECT_NE(bytes("train", 3, 1), bytes("train", 3, 2));
  EXPECT_NE(bytes("train", 3, 1), bytes("train", 12, 1));
}

TEST(SynthesizerTest, RowsEqualFiles) {
  const SynthesisOptions options = Few(TestFolder("rows"));
  ASSERT_THAT(Synthesize(options), IsOk());
  for (const auto& [split, count] : std::map<std::string, int>{{"train", 10}, {"val", 9}}) {
    ASSERT_OK_AND_ASSIGN(const std::string csv,
                         ReadFile(options.folder + "/kinetics-400_" + split + ".csv"));
    const std::vector<std::string> rows = absl::StrSplit(csv, '\n', absl::SkipEmpty());
    ASSERT_EQ(rows.size(), 1 + count);
    int files = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(options.folder + "/" + split)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      const std::string label = entry.path().parent_path().filename().string();
      const std::string id = entry.path().filename().string().substr(0, 11);
      const std::string field = label.find(' ') == std::string::npos ? label : "\"" + label + "\"";
      EXPECT_THAT(csv, HasSubstr("\n" + field + "," + id + ","));
    }
    EXPECT_EQ(files, count);
  }
  ASSERT_OK_AND_ASSIGN(const auto test, ListFolder(options.folder + "/test"));
  EXPECT_EQ(test.size(), 2);
}

TEST(SynthesizerTest, DecodesToWhatWasRendered) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("kinetics400"));
  const std::string path = JoinPath(TestFolder("psnr"), "clip.mp4");
  double sum = 0.0;
  for (int i = 0; i < 9; ++i) {
    const Rendering rendering = RenderingOf(miniature, "train", i, 1);
    std::vector<RgbImage> frames;
    ASSERT_THAT(rendering.Render([&](const RgbImage& image) {
      frames.push_back(image);
      return absl::OkStatus();
    }),
                IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string bytes,
                         EncodeRendering(rendering, miniature.encodings[0]));
    ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
    ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
    ASSERT_EQ(reader->info().frames, 96);
    std::vector<int64_t> all(96);
    std::iota(all.begin(), all.end(), int64_t{0});
    double squares = 0.0;
    ASSERT_THAT(reader->Read(all,
                             [&](int64_t k, const RgbImage& image) {
                               for (size_t j = 0; j < image.pixels.size(); ++j) {
                                 const double off = image.pixels[j] - frames[k].pixels[j];
                                 squares += off * off;
                               }
                               return absl::OkStatus();
                             }),
                IsOk());
    const double psnr = 10 * std::log10(255.0 * 255.0 / (squares / (96 * 64 * 48 * 3)));
    EXPECT_GE(psnr, 27.0) << i;
    sum += psnr;
  }
  // The prototype's mean was 31.6.
  EXPECT_GE(sum / 9, 29.0);
}

TEST(SynthesizerTest, GoesOnWithAnUnfinishedFolder) {
  const SynthesisOptions options = Few(TestFolder("unfinished"));
  ASSERT_THAT(Synthesize(options), IsOk());
  const auto whole = Contents(options.folder);
  for (const auto& [path, content] : whole) {
    if (path.find("train/") == 0) std::filesystem::remove(JoinPath(options.folder, path));
  }
  ASSERT_THAT(Synthesize(options), IsOk());
  EXPECT_TRUE(whole == Contents(options.folder));
}

TEST(SynthesizerTest, LeavesForeignFoldersAlone) {
  SynthesisOptions options = Few(TestFolder("foreign"));
  ASSERT_THAT(WriteFileAtomically(options.folder + "/thesis.tex", "mine"), IsOk());
  EXPECT_THAT(Synthesize(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("not empty"), HasSubstr("thesis.tex"))));
  EXPECT_EQ(Contents(options.folder).size(), 1);
  options.folder = TestFolder("other_options");
  options.size = MiniatureSize{};
  ASSERT_THAT(Synthesize(options), IsOk());
  options.seed = 2;
  EXPECT_THAT(Synthesize(options),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("other options")));
}

TEST(SynthesizerTest, RefusesOptionsThatCannotBe) {
  SynthesisOptions options = Few(TestFolder("options"));
  options.dataset = "imagenet";
  EXPECT_THAT(Synthesize(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("imagenet")));
  options = Few(options.folder);
  options.size->train = -1;
  EXPECT_THAT(Synthesize(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1 videos")));
  options = Few(options.folder);
  options.threads = 0;
  EXPECT_THAT(Synthesize(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 threads")));
  options = Few("");
  EXPECT_THAT(Synthesize(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no folder")));
}

}  // namespace
}  // namespace op3d::data
