#include "op3d/train/log/event_file.h"

#include "absl/strings/match.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/train/log/event.pb.h"

namespace op3d {
namespace {

TEST(EventFileTest, ChecksumsAreThoseOfRfc3720) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c(""), 0u);
}

// A known record: TensorFlow's own file of the event {file_version: "brain.Event:2"}, whose
// length of 24 bytes has the masked checksum a3 7f 4b 22 (the start of every event file).
TEST(EventFileTest, FramesAreTensorFlowsOwn) {
  EventProto event;
  event.set_wall_time(1.0);
  event.set_file_version("brain.Event:2");
  const std::string record = TfRecord(event.SerializeAsString());
  EXPECT_EQ(record.substr(0, 12), std::string("\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22", 12));
  EXPECT_EQ(record.size(), 8 + 4 + 24 + 4);
}

TEST(EventFileTest, WhatIsAddedStandsInTheFile) {
  const std::string folder = TestFolder("events");
  {
    ASSERT_OK_AND_ASSIGN(const auto events, EventFile::Create(folder, 7));
    events->Add(8, {{"train/loss", 2.25}, {"train/learning_rate", 0.5}, {"measure/top1", 0}});
  }
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  ASSERT_EQ(names.size(), 1);
  EXPECT_TRUE(absl::StartsWith(names[0], "events.out.tfevents."));
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(JoinPath(folder, names[0])));
  std::vector<EventProto> events;
  while (!bytes.empty()) {
    const size_t length = static_cast<unsigned char>(bytes[0]);  // all are short
    const std::string record = bytes.substr(12, length);
    ASSERT_EQ(bytes.substr(0, 16 + length), TfRecord(record));
    events.emplace_back();
    ASSERT_TRUE(events.back().ParseFromString(record));
    bytes.erase(0, 16 + length);
  }
  ASSERT_EQ(events.size(), 3);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_EQ(events[1].session_log().status(), EventSession::START);
  EXPECT_EQ(events[1].step(), 7);
  EXPECT_EQ(events[2].step(), 8);
  EXPECT_GT(events[2].wall_time(), 1e9);
  ASSERT_EQ(events[2].summary().value_size(), 3);
  EXPECT_EQ(events[2].summary().value(0).tag(), "train/loss");
  EXPECT_EQ(events[2].summary().value(0).simple_value(), 2.25f);
  // A reader treats a value that is not written as missing.
  EXPECT_TRUE(events[2].summary().value(2).has_simple_value());
}

TEST(EventFileTest, AFolderThatIsGoneIsASentence) {
  EXPECT_THAT(EventFile::Create("/gone/away", 0).status(),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("/gone/away")));
}

}  // namespace
}  // namespace op3d
