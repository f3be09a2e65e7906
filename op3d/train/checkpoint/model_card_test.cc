#include "op3d/train/checkpoint/model_card.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The card of a safetensors file with this text.
absl::StatusOr<std::optional<ModelCard>> ReadText(const std::string& text) {
  const std::string bytes = *SerializeSafetensors({}, {{kModelCard, text}});
  return ReadModelCard(*Checkpoint::Parse(bytes, "w"), "w");
}

// A valid card; `more` is merged over it.
ModelCard MakeCard(const std::string& more = "") {
  ModelCard card, over;
  EXPECT_THAT(
      ParseTextproto(
          "network { name: 'dg_p3d_miniature' width: 16 } classes: 2 class_names: ['a', 'b'] "
          "segments: 4 frames_per_segment: 4 stride: 1 test_clips: 2 test_segments: 8 "
          "short_side: 36 crop: 32 mean: [0.485, 0.456, 0.406] deviation: [0.229, 0.224, 0.225] "
          "dataset { name: 'kinetics400' evaluation { list: 'val.csv' media: 'val' } } "
          "commit: 'abc'",
          "card", &card),
      IsOk());
  EXPECT_THAT(ParseTextproto(more, "more", &over), IsOk());
  card.MergeFrom(over);
  return card;
}

TEST(ModelCardTest, ComesBackAsItWas) {
  ModelCard card = MakeCard();
  card.set_class_names(1, "k\xC3\xBC\"\n");
  std::map<std::string, std::string> metadata = {{"best", "1"}};
  AddModelCard(card, &metadata);
  EXPECT_EQ(metadata.size(), 2);
  ASSERT_OK_AND_ASSIGN(const auto again, ReadText(metadata.at(kModelCard)));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->SerializeAsString(), card.SerializeAsString());
  // The test uses other segments than the training.
  EXPECT_EQ(TestClip(*again).length(), 32);
  EXPECT_THAT(DescribeModelCard(card),
              AllOf(HasSubstr("dg_p3d_miniature (width 16) for 2 classes of kinetics400"),
                    HasSubstr("clips of 8 x 4 frames, 2 a video"), HasSubstr("crop 32")));
  ModelCard flow = card;
  flow.mutable_dataset()->set_stream(DatasetSettings::FLOW);
  EXPECT_THAT(DescribeModelCard(flow), HasSubstr("of kinetics400; optical flow; clips"));
}

TEST(ModelCardTest, AForeignFileHasNone) {
  const std::string bytes = *SerializeSafetensors({}, {{"format", "pt"}});
  ASSERT_OK_AND_ASSIGN(const auto card, ReadModelCard(*Checkpoint::Parse(bytes, "w"), "w"));
  EXPECT_FALSE(card.has_value());
}

TEST(ModelCardTest, WhatCannotBeIsASentence) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"crop: 64", "crop is 64; it must be in [0, 36]"},
      {"classes: 3", "class_names names 2 classes of 3"},
      {"classes: -1", "classes is -1"},
      {"short_side: 2000000000 crop: 2000000000", "short_side is 2000000000"},
      {"test_clips: 10001", "test_clips is 10001"},
      {"short_side: 8192 crop: 8192", "more than 8 GiB a video"},
      {"stride: -1", "stride"},
      {"segments: 2000000000", "segments"},
      {"mean: 0.5", "mean is 0.485, 0.456, 0.406, 0.5; op3d normalises with 0.485"},
      {"dataset { label_map: '/etc/passwd' }", "'/etc/passwd', which is outside"},
      {"dataset { train { other_lists: 'a/../../b' } }", "'a/../../b', which is outside"},
  };
  for (const auto& [more, what] : cases) {
    EXPECT_THAT(ReadText(ModelCardText(MakeCard(more))),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("w: metadata op3d.model: "), HasSubstr(what))))
        << more;
  }
  for (const std::string& text :
       {std::string("no card"), std::string("network {"), std::string("colour: 1"),
        std::string("classes: 99999999999"), std::string(10000, '{')}) {
    EXPECT_THAT(ReadText(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("op3d.model")))
        << text.substr(0, 20);
  }
  EXPECT_THAT(ReadText(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("network.name is empty")));
  EXPECT_THAT(ReadText(std::string(2 << 20, ' ')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 2097152 bytes")));
}

TEST(ModelCardTest, PathsOfOneMachineStayBehind) {
  DatasetSettings dataset;
  ASSERT_THAT(ParseTextproto("name: 'own' source: 'a disk' label_map: '/home/me/map.txt' "
                             "train { list: '../train.txt' media: 'videos' } "
                             "evaluation { list: 'val.txt' media: 'videos' } "
                             "remote { allowed_hosts: 'data.example.org' }",
                             "dataset", &dataset),
              IsOk());
  const DatasetSettings portable = PortableDataset(dataset);
  EXPECT_EQ(portable.label_map(), "");
  EXPECT_FALSE(portable.has_remote());
  EXPECT_EQ(portable.train().list(), "");
  EXPECT_EQ(portable.evaluation().list(), "val.txt");
  ModelCard card = MakeCard();
  *card.mutable_dataset() = portable;
  EXPECT_THAT(ReadText(ModelCardText(card)), IsOk());
  card.mutable_dataset()->mutable_remote()->add_allowed_hosts("evil.example.org");
  ASSERT_OK_AND_ASSIGN(const auto read, ReadText(ModelCardText(card)));
  EXPECT_FALSE(read->dataset().has_remote());
}

}  // namespace
}  // namespace op3d
