#include "data/command/croissant/croissant.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d::data {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// One training video, two test videos and a missing one.
class CroissantTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(ParseTextproto("name: 'my gestures' classes: 2 format: PATH_LABEL "
                               "train { list: 'lists/train.txt' media: 'clips' } "
                               "evaluation { list: 'lists/test.txt' media: 'clips' } "
                               "label_map: 'classes.txt' source: 'A phone.'",
                               "dataset", &dataset_),
                IsOk());
    options_.root = TestFolder("gestures");
    ASSERT_THAT(MakeFolders(options_.root + "/clips"), IsOk());
    ASSERT_THAT(MakeFolders(options_.root + "/lists"), IsOk());
    Write("lists/train.txt", "a,1.mp4 0\n");
    Write("lists/test.txt", "b.mp4 1\nnowhere.mp4 1\nc.mp4 0\n");
    Write("classes.txt", "wave\npoint \"up\"\n");
    WriteTestClip(options_.root + "/clips", "a,1.mp4", TestClipOptions(), 20);
    WriteTestClip(options_.root + "/clips", "b.mp4", TestClipOptions(), 7);
    WriteTestClip(options_.root + "/clips", "c.mp4", TestClipOptions(), 8);
  }
  void Write(const std::string& name, const std::string& content) {
    ASSERT_THAT(WriteFileAtomically(JoinPath(options_.root, name), content), IsOk());
  }
  absl::StatusOr<Croissant> Describe(const CroissantOptions& options = {}) {
    OP3D_ASSIGN_OR_RETURN(const DatasetIndexReport report, IndexDataset(dataset_, options_));
    return DescribeAsCroissant(dataset_, report, options);
  }

  DatasetSettings dataset_;
  DatasetIndexOptions options_;
};

TEST_F(CroissantTest, EveryUsableVideoIsARecord) {
  ASSERT_OK_AND_ASSIGN(const Croissant croissant, Describe());
  EXPECT_EQ(croissant.table_name, "my_gestures.videos.csv");
  ASSERT_OK_AND_ASSIGN(const std::vector<CsvRow> rows, ParseCsv(croissant.table, "table"));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(rows[0].fields,
              ElementsAre("list", "name", "path", "label", "class", "frames", "group"));
  EXPECT_THAT(rows[1].fields,
              ElementsAre("train", "a,1.mp4", "clips/a,1.mp4", "0", "wave", "20", ""));
  EXPECT_THAT(rows[2].fields,
              ElementsAre("evaluation", "b.mp4", "clips/b.mp4", "1", "point \"up\"", "7", ""));
}

TEST_F(CroissantTest, TheDescriptionNamesItsFilesByTheirChecksums) {
  CroissantOptions options;
  options.license = "cc-by-4.0";
  options.date_published = "2012-12-03";
  ASSERT_OK_AND_ASSIGN(const Croissant croissant, Describe(options));
  const json root = json::parse(croissant.json);
  EXPECT_EQ(root["@type"], "sc:Dataset");
  EXPECT_EQ(root["conformsTo"], "http://mlcommons.org/croissant/1.0");
  EXPECT_EQ(root["name"], "my_gestures");
  EXPECT_EQ(root["license"], "cc-by-4.0");
  EXPECT_EQ(root["datePublished"], "2012-12-03");
  EXPECT_FALSE(root.contains("url"));
  EXPECT_THAT(root["description"].get<std::string>(),
              HasSubstr("List evaluation: 2 usable of 3 listed videos, 15 frames. Source: A "
                        "phone."));
  std::map<std::string, std::string> sums;
  for (const json& file : root["distribution"]) {
    EXPECT_EQ(file["@type"], "cr:FileObject");
    sums[file["contentUrl"]] = file["sha256"];
  }
  EXPECT_EQ(sums.size(), 3u);
  EXPECT_EQ(sums["my_gestures.videos.csv"], Sha256(croissant.table));
  EXPECT_EQ(sums["lists/train.txt"], Sha256("a,1.mp4 0\n"));
  EXPECT_EQ(croissant.json.find(options_.root), std::string::npos);
  // Every field refers to a file, a column or a field that is there.
  const json& classes = root["recordSet"][0];
  EXPECT_EQ(classes["data"][1]["classes/name"], "point \"up\"");
  EXPECT_EQ(classes["data"][1]["classes/label"], 1);
  const json& videos = root["recordSet"][1];
  ASSERT_EQ(videos["field"].size(), 7u);
  for (const json& field : videos["field"]) {
    EXPECT_THAT(field["@id"].get<std::string>(), StartsWith("videos/"));
    EXPECT_EQ(field["source"]["fileObject"]["@id"], croissant.table_name);
    EXPECT_THAT(croissant.table, HasSubstr(field["source"]["extract"]["column"]));
  }
  EXPECT_EQ(videos["field"][3]["dataType"], "sc:Integer");
  EXPECT_EQ(videos["field"][4]["references"]["field"]["@id"], "classes/name");
}

TEST_F(CroissantTest, SyntheticVideosAreSaidToBeSynthetic) {
  Write("synthetic.txt", "made by op3d");
  ASSERT_OK_AND_ASSIGN(const Croissant croissant, Describe());
  EXPECT_THAT(json::parse(croissant.json)["description"].get<std::string>(),
              StartsWith("Synthetic videos in the layout of"));
  EXPECT_FALSE(absl::StrContains(croissant.json, "A phone."));
}

TEST_F(CroissantTest, AWrongDateIsRefused) {
  CroissantOptions options;
  options.date_published = "3 December 2012";
  EXPECT_THAT(Describe(options).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("3 December 2012 is not of the form 2012-12-03")));
}

}  // namespace
}  // namespace op3d::data
