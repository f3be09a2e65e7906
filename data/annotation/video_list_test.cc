#include "data/annotation/video_list.h"

#include <filesystem>
#include <map>

#include "data/video/image/jpeg.h"
#include "data/video/media.h"
#include "data/video/testing/test_server.h"
#include "data/video/testing/test_tar.h"
#include "data/video/writer/video_writer.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

void Write(const std::string& path, const std::string& text) {
  ASSERT_THAT(MakeFolders(path.substr(0, path.rfind('/'))), IsOk());
  ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
}

std::string VideoBytes(int frames) {
  VideoWriterOptions options;
  options.width = options.height = 16;
  auto writer = VideoWriter::Make(options);
  EXPECT_THAT(writer, IsOk());
  RgbImage image = {16, 16, std::vector<uint8_t>(16 * 16 * 3, 99)};
  for (int k = 0; k < frames; ++k) EXPECT_THAT((*writer)->Add(image), IsOk());
  auto bytes = (*writer)->Finish();
  EXPECT_THAT(bytes, IsOk());
  return *bytes;
}

constexpr char kHeader[] = "label,youtube_id,time_start,time_end,split\n";

// A copy with three classes: five videos are listed, one is missing and one is broken.
class VideoListTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = TestFolder("root");
    Write(root_ + "/val.csv", std::string(kHeader) +
                                  "air drumming,aaa,0,10,val\n"
                                  "zumba,bbb,3,13,val\n"
                                  "\"petting animal (not cat)\",ccc,1,11,val\n"
                                  "zumba,ddd,5,15,val\n"
                                  "air drumming,eee,0,10,val\n");
    Write(root_ + "/val/air_drumming/aaa_000000_000010.mp4", VideoBytes(5));
    Write(root_ + "/val/zumba/bbb_000003_000013.mp4", "no video at all");
    Write(root_ + "/val/petting animal (not cat)/ccc_000001_000011.mp4", VideoBytes(7));
    Write(root_ + "/val/eee_000000_000010.mp4", VideoBytes(3));
    dataset_.set_name("tiny");
    dataset_.set_classes(3);
    dataset_.set_format(DatasetSettings::KINETICS_CSV);
    dataset_.mutable_evaluation()->set_list("val.csv");
    dataset_.mutable_evaluation()->set_media("val");
    loader_.set_on_bad_video(LoaderSettings::SKIP);
  }

  absl::StatusOr<VideoList> Load(int threads = 2) {
    return LoadVideoList(dataset_, dataset_.evaluation(), root_, loader_, threads);
  }

  std::string root_;
  DatasetSettings dataset_;
  LoaderSettings loader_;
};

TEST_F(VideoListTest, FindsCountsAndReports) {
  for (const int threads : {1, 2, 9}) {
    ASSERT_OK_AND_ASSIGN(const VideoList list, Load(threads));
    EXPECT_THAT(list.classes, ElementsAre("air drumming", "petting animal (not cat)", "zumba"));
    ASSERT_EQ(list.videos.size(), 3);
    EXPECT_EQ(list.videos[0].name, "aaa_000000_000010");
    EXPECT_THAT(list.videos[0].path, HasSubstr("/val/air_drumming/aaa_000000_000010.mp4"));
    EXPECT_EQ(list.videos[0].label, 0);
    EXPECT_EQ(list.videos[0].frames, 5);
    EXPECT_EQ(list.videos[1].label, 1);
    EXPECT_EQ(list.videos[1].frames, 7);
    EXPECT_EQ(list.videos[2].frames, 3);
    EXPECT_EQ(list.listed, 5);
    EXPECT_EQ(list.missing, 1);
    EXPECT_EQ(list.broken, 1);
    EXPECT_THAT(list.examples,
                ElementsAre("ddd_000005_000015: no such file", HasSubstr("bbb_000003_000013: ")));
    EXPECT_EQ(DescribeVideoList(list, "val.csv"),
              "val.csv: 3 of 5 listed videos used (1 missing, 1 broken)");
  }
}

// The same list over shards: by the names of the official list, and by paths.
TEST_F(VideoListTest, VideosInTars) {
  std::filesystem::remove_all(root_ + "/val");
  const std::string tar = root_ + "/val/train-000.tar";
  ASSERT_THAT(MakeFolders(root_ + "/val"), IsOk());
  WriteTestTar(tar, {{"aaa_000000_000010.mp4", VideoBytes(5)},
                     {"aaa_000000_000010.json", "{}"},
                     {"bbb_000003_000013.mp4", "no video at all"},
                     {"ccc_000001_000011.mp4", VideoBytes(7)},
                     {"same.mp4", "ccc_000001_000011.mp4", TestMember::Kind::kHardLink},
                     {"ddd_000005_000015.mp4", VideoBytes(3)},
                     {"ddd_000005_000015.mp4", VideoBytes(2)}});
  IndexOptions index;
  index.file = root_ + "/tiny.op3d_index";
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const VideoList list,
                         LoadVideoList(dataset_, dataset_.evaluation(), root_, loader_, 2, index));
    ASSERT_EQ(list.videos.size(), 2);
    EXPECT_EQ(list.videos[0].path, tar + "/aaa_000000_000010.mp4");
    EXPECT_EQ(list.videos[0].frames, 5);
    EXPECT_EQ(list.videos[1].frames, 7);
    EXPECT_NE(list.videos[0].file, list.videos[1].file);
    EXPECT_EQ(list.missing, 1);
    EXPECT_EQ(list.broken, 2);
    EXPECT_THAT(list.examples[2], HasSubstr("in the tar twice"));
  }
  Write(root_ + "/paths.txt",
        "train-000.tar/aaa_000000_000010.mp4 0\n"
        "train-000.tar/ccc_000001_000011.avi 1\n"  // another ending
        "train-000.tar/same.mp4 1\n"
        "train-000.tar/none.mp4 2\n"
        "gone.tar/none.mp4 2\n");
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  dataset_.mutable_evaluation()->set_list("paths.txt");
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 3);
  EXPECT_EQ(list.videos[1].path, tar + "/ccc_000001_000011.mp4");
  EXPECT_EQ(list.videos[1].file, list.videos[2].file);
  EXPECT_EQ(list.videos[1].group, list.videos[2].group);
  EXPECT_EQ(list.missing, 2);
  EXPECT_THAT(list.examples, ElementsAre(HasSubstr("the tar has no such member"),
                                         "gone.tar/none.mp4: no such file"));
}

// Lists, label map and videos that are URLs.
TEST_F(VideoListTest, RemoteData) {
  const std::string five = VideoBytes(5), seven = VideoBytes(7);
  std::map<std::string, std::string> files = {
      {"/list.txt", ""},          {"/classes.txt", "sit\nrun\n"},
      {"/v/a%20b.mp4", five},     {"/v/text.mp4", "no video"},
      {"/bucket/k/c.mp4", seven}, {"/v/s.tar", MakeTestTar({{"run/d.mp4", seven}})}};
  TestServer server([&](const TestServer::Request& request, TestServer::Connection* connection) {
    const auto found = files.find(request.target);
    if (request.target == "/v/stalls.mp4") {
      connection->SendPart(five, five.size() / 2);
      connection->Stall();
    } else if (request.target == "/v/cut.mp4") {
      connection->SendPart(five, five.size() / 2);
    } else if (found == files.end()) {
      connection->SendStatus("404 Not Found");
    } else {
      connection->SendFile(request, found->second);
    }
  });
  files["/list.txt"] = server.Url("/v/a%20b.mp4") + " 0\n" + server.Url("/v/s.tar/run/d.mp4") +
                       " 1\ns3://bucket/k/c.mp4 1\nval/eee_000000_000010.mp4 0\nfile://" + root_ +
                       "/val/eee_000000_000010.mp4 0\n" + server.Url("/v/text.mp4") + " 0\n" +
                       server.Url("/v/none.mp4") + " 0\n" + server.Url("/v/stalls.mp4") + " 0\n" +
                       server.Url("/v/cut.mp4") + " 0\n";
  dataset_.set_classes(2);
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  dataset_.set_label_map(server.Url("/classes.txt"));
  dataset_.mutable_evaluation()->set_list(server.Url("/list.txt"));
  dataset_.mutable_evaluation()->set_media(".");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("list.txt is a URL, and remote data is off")));
  RemoteSettings* remote = dataset_.mutable_remote();
  remote->add_allowed_hosts("other.example.org");
  remote->set_cache_folder(root_ + "/cache");
  remote->set_timeout_seconds(0.2);
  remote->set_tries(2);
  remote->set_retry_seconds(0.01);
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("is not allowed")));
  EXPECT_EQ(server.requests(), 0);
  remote->add_allowed_hosts(server.host());
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("list.txt:3: "), HasSubstr("s3_endpoint"))));
  remote->set_s3_endpoint(server.Url(""));
  IndexOptions index;
  index.file = root_ + "/tiny.op3d_index";
  int requests = 0;
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const VideoList list,
                         LoadVideoList(dataset_, dataset_.evaluation(), root_, loader_, 3, index));
    EXPECT_THAT(list.classes, ElementsAre("sit", "run"));
    ASSERT_EQ(list.videos.size(), 5);
    EXPECT_EQ(list.videos[0].path, server.Url("/v/a%20b.mp4"));
    EXPECT_EQ(list.videos[0].frames, 5);
    EXPECT_EQ(list.videos[1].frames, 7);
    EXPECT_EQ(list.videos[2].path, "s3://bucket/k/c.mp4");
    EXPECT_EQ(list.videos[2].frames, 7);
    EXPECT_EQ(list.videos[3].file, list.videos[4].file);
    EXPECT_NE(list.videos[0].file, list.videos[1].file);
    // The video can be opened with what it knows.
    MediaOptions media;
    media.remote = list.videos[1].remote;
    EXPECT_THAT(OpenIndexed(list.videos[1].path, list.videos[1].scan, media), IsOk());
    EXPECT_EQ(list.videos[3].remote, nullptr);
    EXPECT_EQ(list.missing, 1);
    EXPECT_EQ(list.broken, 3);
    EXPECT_THAT(list.examples,
                ElementsAre(HasSubstr("no such file (404)"), HasSubstr("text.mp4 is not a video"),
                            HasSubstr("less than 1024 bytes"),
                            HasSubstr("the server closed the connection")));
    // The second time only what was not to be had is asked for.
    EXPECT_TRUE(round == 0 || server.requests() - requests == 1 + 2 + 2);
    requests = server.requests();
  }
  // A folder at a URL, and a list of names, which would have to be searched in it.
  dataset_.mutable_evaluation()->set_list("paths.txt");
  dataset_.mutable_evaluation()->set_media(server.Url("/v/"));
  Write(root_ + "/paths.txt", "a b.mp4 0\ns.tar/run/d.mp4 1\n");
  ASSERT_OK_AND_ASSIGN(VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 2);
  EXPECT_EQ(list.videos[0].path, server.Url("/v/a%20b.mp4"));
  Write(root_ + "/paths.txt", "none.mp4 0\n");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none of the 1 videos")));
  dataset_.set_format(DatasetSettings::KINETICS_CSV);
  dataset_.mutable_evaluation()->set_list("val.csv");
  dataset_.clear_label_map();
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("cannot be listed as a folder can")));
}

TEST_F(VideoListTest, LimitsHoldForWhatTheIndexKnows) {
  IndexOptions index;
  index.file = root_ + "/tiny.op3d_index";
  const auto count = [&] {
    const auto list = LoadVideoList(dataset_, dataset_.evaluation(), root_, loader_, 1, index);
    return list.ok() ? static_cast<int>(list->videos.size()) : -1;
  };
  EXPECT_EQ(count(), 3);
  loader_.set_max_frames(5);
  EXPECT_EQ(count(), 2);
  loader_.set_max_frames(0);
  loader_.set_max_seconds(0.15);
  EXPECT_EQ(count(), 1);
  loader_.set_max_seconds(0);
  loader_.set_max_pixels(255);
  EXPECT_EQ(count(), -1);
  loader_.set_max_pixels(0);
  EXPECT_EQ(count(), 3);
}

TEST_F(VideoListTest, VideosBeyondALimitDoNotCountAsVideos) {
  loader_.set_max_frames(5);
  ASSERT_OK_AND_ASSIGN(VideoList list, Load());
  EXPECT_EQ(list.videos.size(), 2);
  EXPECT_EQ(list.broken, 2);
  EXPECT_THAT(list.examples[2], HasSubstr("loader.max_frames"));
  loader_.clear_max_frames();
  loader_.set_max_seconds(0.15);  // three frames at 25 a second last 0.08 s, five 0.16 s
  ASSERT_OK_AND_ASSIGN(list, Load());
  ASSERT_EQ(list.videos.size(), 1);
  EXPECT_EQ(list.videos[0].frames, 3);
  EXPECT_THAT(list.examples[1], HasSubstr("loader.max_seconds"));
  loader_.clear_max_seconds();
  loader_.set_max_pixels(100);
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("loader.max_pixels")));
  loader_.set_max_pixels(-1);
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("loader.max_pixels is -1; it must be at least 0")));
}

TEST_F(VideoListTest, KeepsWhatItKnowsInTheIndex) {
  IndexOptions index;
  index.file = root_ + "/tiny.op3d_index";
  const auto load = [&] {
    return LoadVideoList(dataset_, dataset_.evaluation(), root_, loader_, 1, index);
  };
  ASSERT_OK_AND_ASSIGN(const VideoList first, load());
  EXPECT_TRUE(FileExists(index.file));
  EXPECT_FALSE(first.videos[0].scan.empty());
  // The index is trusted as long as size and time are unchanged.
  const std::string path = root_ + "/val/air_drumming/aaa_000000_000010.mp4";
  const auto time = std::filesystem::last_write_time(path);
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(path));
  Write(path, std::string(bytes.size(), 'x'));
  std::filesystem::last_write_time(path, time);
  ASSERT_OK_AND_ASSIGN(const VideoList second, load());
  EXPECT_EQ(second.videos[0].frames, 5);
  EXPECT_EQ(second.videos[0].scan, first.videos[0].scan);
  Write(path, VideoBytes(9));
  ASSERT_OK_AND_ASSIGN(const VideoList third, load());
  EXPECT_EQ(third.videos[0].frames, 9);
}

TEST_F(VideoListTest, ErrorPolicyNamesTheVideos) {
  loader_.set_on_bad_video(LoaderSettings::ERROR);
  EXPECT_THAT(Load(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("1 missing, 1 broken"), HasSubstr("ddd_000005_000015"),
                             HasSubstr("bbb_000003_000013"), HasSubstr("on_bad_video=SKIP"))));
}

TEST_F(VideoListTest, SubstituteLeavesThemOutOfTheListToo) {
  loader_.set_on_bad_video(LoaderSettings::SUBSTITUTE);
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  EXPECT_EQ(list.videos.size(), 3);
  EXPECT_EQ(list.missing + list.broken, 2);
}

TEST_F(VideoListTest, LabelMapGivesTheNumbers) {
  dataset_.set_label_map("labels.txt");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound,
                               AllOf(HasSubstr("label map"), HasSubstr("labels.txt"))));
  Write(root_ + "/labels.txt", "zumba\r\npetting animal (not cat)\r\nair drumming\r\n\r\n");
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  EXPECT_EQ(list.videos[0].label, 2);
  EXPECT_EQ(list.classes[0], "zumba");
  Write(root_ + "/labels.txt", "zumba\npetting animal (not cat)\nabseiling\n");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("aaa_000000_000010"), HasSubstr("'air drumming'"))));
  Write(root_ + "/labels.txt", "zumba\nzumba\nabseiling\n");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
}

TEST_F(VideoListTest, AnotherNumberOfClassesIsANote) {
  dataset_.set_classes(400);
  ASSERT_OK_AND_ASSIGN(VideoList list, Load());
  EXPECT_THAT(list.notes, testing::Contains(AllOf(HasSubstr("has 3 classes, but tiny has 400"),
                                                  HasSubstr("dataset.label_map"))));
  // It is an error for a training with 400 classes.
  EXPECT_THAT(
      CheckClassCount(list, dataset_, "val.csv"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("val.csv has 3 classes"), HasSubstr("--set=dataset.classes=3"))));
  dataset_.set_classes(3);
  EXPECT_THAT(CheckClassCount(list, dataset_, "val.csv"), IsOk());
  ASSERT_OK_AND_ASSIGN(list, Load());
  EXPECT_THAT(list.notes, testing::IsEmpty());
}

TEST_F(VideoListTest, ListWithoutLabels) {
  Write(root_ + "/val.csv", "youtube_id,time_start,time_end,split\naaa,0,10,test\n");
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 1);
  EXPECT_EQ(list.videos[0].label, -1);
}

TEST_F(VideoListTest, SaysWhatWasLookedForAndWhere) {
  EXPECT_THAT(LoadVideoList(dataset_, dataset_.evaluation(), root_ + "/none", loader_, 1),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("/none"), HasSubstr("give the folder of your copy"))));
  dataset_.mutable_evaluation()->set_list("validate.csv");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound,
                               AllOf(HasSubstr("validate.csv"), HasSubstr("has val.csv"))));
  dataset_.mutable_evaluation()->set_list("");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("names no list")));
  dataset_.mutable_evaluation()->set_list("val.csv");
  dataset_.mutable_evaluation()->set_media("videos");
  EXPECT_THAT(Load(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/videos with the videos of")));
}

TEST_F(VideoListTest, NothingUsableIsAnError) {
  ASSERT_THAT(MakeFolders(root_ + "/empty"), IsOk());
  dataset_.mutable_evaluation()->set_media("empty");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound,
                               AllOf(HasSubstr("none of the 5 videos"), HasSubstr("/empty"),
                                     HasSubstr("'air drumming/aaa_000000_000010.mp4'"),
                                     HasSubstr("found 0 videos"), HasSubstr("download"))));
  Write(root_ + "/empty/other.mp4", "x");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("names must be")));
  Write(root_ + "/empty/bbb_000003_000013.mp4", "x");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr("4 missing, 1 broken"), HasSubstr("bbb_000003"))));
}

TEST_F(VideoListTest, UnknownFormatIsRefused) {
  dataset_.set_format(DatasetSettings::FORMAT_UNSPECIFIED);
  EXPECT_THAT(Load(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("FORMAT_UNSPECIFIED")));
}

TEST_F(VideoListTest, FramesAreVideosToo) {
  ASSERT_OK_AND_ASSIGN(const std::string jpeg,
                       EncodeJpeg({16, 16, std::vector<uint8_t>(16 * 16 * 3, 99)}, 90));
  for (const char* name : {"00001", "00002"}) {
    Write(root_ + "/val/air drumming/ddd_000005_000015/" + name + ".jpg", jpeg);
  }
  ASSERT_OK_AND_ASSIGN(VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 4);
  EXPECT_THAT(list.videos[2].path, HasSubstr("/air drumming/ddd_000005_000015"));
  EXPECT_EQ(list.videos[2].frames, 2);
  EXPECT_EQ(list.videos[2].content, FrameContent::kPictures);

  // Their flow, in a separate folder; video files have no flow.
  dataset_.set_stream(DatasetSettings::FLOW);
  dataset_.mutable_evaluation()->set_flow("flow");
  for (const char* name : {"000001_c1", "000001_c2"}) {
    Write(root_ + "/flow/ddd_000005_000015/" + name + ".jpg", jpeg);
  }
  Write(root_ + "/flow/aaa_000000_000010.mp4", "x");
  ASSERT_OK_AND_ASSIGN(list, Load());
  ASSERT_EQ(list.videos.size(), 1);
  EXPECT_THAT(list.videos[0].path, HasSubstr("/flow/ddd_000005_000015"));
  EXPECT_EQ(list.videos[0].frames, 1);
  EXPECT_EQ(list.videos[0].content, FrameContent::kFlow);
  EXPECT_THAT(list.examples, testing::Contains(HasSubstr("a video has no flow")));
}

TEST_F(VideoListTest, PathsOfTheListAreTakenAsTheyAre) {
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  Write(root_ + "/val.csv",
        "val/air_drumming/aaa_000000_000010.mp4 0\neee_000000_000010.webm 2\n"
        "val/air_drumming/aaa_000000_000010.mp4 0\n");
  dataset_.mutable_evaluation()->set_media(".");
  Write(root_ + "/no class/eee_000000_000010.mp4", VideoBytes(4));
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 3);
  EXPECT_EQ(list.videos[2].path, list.videos[0].path);  // a list may contain a video several times
  EXPECT_EQ(list.videos[2].group, list.videos[0].group);
  EXPECT_NE(list.videos[1].group, list.videos[0].group);
  EXPECT_THAT(list.notes, ElementsAre(AllOf(HasSubstr("1 row names a video that is already in it"),
                                            HasSubstr("val.csv:3 repeats "),
                                            HasSubstr("val.csv:1, val/air_drumming/aaa"))));
  EXPECT_EQ(list.videos[2].frames, 5);
  EXPECT_EQ(list.videos[0].name, "val/air_drumming/aaa_000000_000010.mp4");
  EXPECT_THAT(list.videos[0].path, HasSubstr("/val/air_drumming/aaa_000000_000010.mp4"));
  EXPECT_EQ(list.videos[0].label, 0);
  // Re-encoded with another ending, in another folder.
  EXPECT_THAT(list.videos[1].path, HasSubstr("/no class/eee_000000_000010.mp4"));
}

TEST_F(VideoListTest, AFolderOfTheListIsNeverAnother) {
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  Write(root_ + "/val.csv",
        "left/a.avi 0\nright/a.avi 1\nmiddle/a.avi 2\nx/y/left/a.avi 0\n/old/disk/up_down/b.avi 1\n"
        "old/c.avi 2\n");
  Write(root_ + "/val/left/a.mp4", VideoBytes(3));
  Write(root_ + "/val/right/a.mp4", VideoBytes(4));
  Write(root_ + "/val/x/y/left/a.mkv", VideoBytes(6));
  Write(root_ + "/val/Up down/b.mp4", VideoBytes(7));
  Write(root_ + "/val/left/b.mp4", VideoBytes(2));
  Write(root_ + "/val/c.mp4", VideoBytes(8));
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  std::vector<int64_t> frames;
  for (const Video& video : list.videos) frames.push_back(video.frames);
  EXPECT_THAT(frames, ElementsAre(3, 4, 6, 7, 8));
  EXPECT_EQ(list.missing, 1);
  EXPECT_EQ(list.left_out[0].name, "middle/a.avi");
}

TEST_F(VideoListTest, OneFileIsOneVideoWhateverItIsCalled) {
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  Write(root_ + "/val/up/a.mp4", VideoBytes(3));
  Write(root_ + "/val/down/a.mp4", VideoBytes(3));  // equal, but another file
  std::filesystem::create_symlink(root_ + "/val/up/a.mp4", root_ + "/val/link.mp4");
  std::filesystem::create_hard_link(root_ + "/val/up/a.mp4", root_ + "/val/hard.mp4");
  Write(root_ + "/val.csv", "up/a.mp4 0\ndown/a.mp4 0\nlink.mp4 0\nhard.mp4 0\n");
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 4);
  EXPECT_EQ(list.videos[2].group, list.videos[0].group);
  EXPECT_EQ(list.videos[3].group, list.videos[0].group);
  EXPECT_EQ(list.videos[1].group, "");
  EXPECT_THAT(list.notes, ElementsAre(HasSubstr("2 rows name a video")));
  EXPECT_THAT(DescribeSharedVideos({list.videos[0]}, {list.videos[1], list.videos[2]}),
              HasSubstr("1 of 2 videos of the evaluation list are in the training list too (first: "
                        "link.mp4)"));
  EXPECT_EQ(DescribeSharedVideos({list.videos[0]}, {list.videos[1]}), "");

  Write(root_ + "/val.csv", "up/a.mp4 0\ndown/a.mp4 1\nlink.mp4 2\n");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("val.csv:1 (up/a.mp4) and "),
                                     HasSubstr("val.csv:3 (link.mp4) are one file"),
                                     HasSubstr("the labels 0 ('0') and 2 ('2')"))));
  // A name of an official list may match another video's file.
  dataset_.set_format(DatasetSettings::KINETICS_CSV);
  Write(root_ + "/val.csv", std::string(kHeader) + "zumba,link,0,1,val\nsamba,other,0,1,val\n");
  dataset_.set_classes(2);
  std::filesystem::create_symlink(root_ + "/val/up/a.mp4", root_ + "/val/link_0_1.mp4");
  std::filesystem::create_symlink(root_ + "/val/up/a.mp4", root_ + "/val/other_0_1.mp4");
  ASSERT_OK_AND_ASSIGN(const VideoList official, Load());
  EXPECT_EQ(official.videos.size(), 2);
  EXPECT_THAT(official.notes,
              ElementsAre(HasSubstr("1 row names a video"), HasSubstr("1 of them with another")));
}

TEST_F(VideoListTest, OfSeveralFilesOfANameTheReadableOneIsTaken) {
  const std::string bytes = VideoBytes(12);
  // In alphabetical order the broken one comes first.
  Write(root_ + "/val/zumba/bbb_000003_000013.mp4", "no video at all");
  Write(root_ + "/val/zumba/bbb_000003_000013.webm", bytes);
  ASSERT_OK_AND_ASSIGN(VideoList list, Load());
  ASSERT_EQ(list.videos.size(), 4);
  EXPECT_THAT(list.videos[1].path, HasSubstr("/bbb_000003_000013.webm"));
  EXPECT_EQ(list.videos[1].frames, 12);
  EXPECT_EQ(list.broken, 0);
  // All are broken: the first one's reason.
  Write(root_ + "/val/zumba/bbb_000003_000013.webm", "no video either");
  ASSERT_OK_AND_ASSIGN(list, Load());
  EXPECT_EQ(list.broken, 1);
  EXPECT_THAT(list.left_out[0].path, HasSubstr("/bbb_000003_000013.mp4"));
  // The same for a path of a list, but only in its own folder.
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  Write(root_ + "/val.csv", "zumba/bbb_000003_000013.mp4 2\n");
  Write(root_ + "/val/other/bbb_000003_000013.mp4", bytes);
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("")));
  Write(root_ + "/val/zumba/bbb_000003_000013.MKV", bytes);
  ASSERT_OK_AND_ASSIGN(list, Load());
  EXPECT_THAT(list.videos[0].path, HasSubstr("/zumba/bbb_000003_000013.MKV"));
}

TEST_F(VideoListTest, CopiesAsDownloadersLeaveThem) {
  const std::string bytes = VideoBytes(12);
  Write(root_ + "/val.csv", std::string(kHeader) +
                                "zumba,twice,0,10,val\nzumba,capital,0,10,val\n"
                                "zumba,short,317,327,val\nzumba,damaged,0,10,val\n"
                                "zumba,beside,0,10,val\nzumba,part,36,46,val\n");
  dataset_.set_classes(1);
  Write(root_ + "/val/twice_000000_000010.mp4.mkv", bytes);
  Write(root_ + "/val/capital_000000_000010.MP4", bytes);
  Write(root_ + "/val/short_317_327.mp4", bytes);
  Write(root_ + "/val/damaged_000000_000010.mp4", VideoBytes(2));
  Write(root_ + "/val/replacement_for_corrupted_k400/damaged_000000_000010.mp4", bytes);
  Write(root_ + "/val/beside_000000_000010.mp4", "x");
  Write(root_ + "/replacement/replacement_for_corrupted_k400/beside_000000_000010.mp4", bytes);
  // Leftovers of a stopped download, and the video from which the clip is cut.
  Write(root_ + "/val/part_000036_000046.mp4.part", bytes);
  Write(root_ + "/val/part_000036_000046.f137.mp4", bytes);
  Write(root_ + "/val/part_000036_000046.temp.mp4", bytes);
  Write(root_ + "/val/part_000036_000046.mp4.ytdl", bytes);
  Write(root_ + "/val/part.mp4", bytes);
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  EXPECT_EQ(list.videos.size(), 5);
  for (const Video& video : list.videos) EXPECT_EQ(video.frames, 12) << video.path;
  EXPECT_EQ(list.missing, 1);
  EXPECT_EQ(list.left_out[0].name, "part_000036_000046");
}

TEST_F(VideoListTest, RowsWithoutAnAnnotationAreLeftOut) {
  Write(root_ + "/val.csv", std::string(kHeader) +
                                "air drumming,aaa,0,10,val\n,eee,0,10,val\n"
                                "zumba,ddd,5,15,val\npetting animal (not cat),ccc,1,11,val\n");
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  EXPECT_EQ(list.videos.size(), 2);
  EXPECT_EQ(list.unlabelled, 1);
  EXPECT_EQ(list.listed, 4);
  ASSERT_EQ(list.left_out.size(), 2);
  EXPECT_FALSE(list.left_out[0].unlabelled);
  EXPECT_TRUE(list.left_out[1].unlabelled);
  EXPECT_EQ(list.left_out[1].name, "eee_000000_000010");
  EXPECT_THAT(list.left_out[1].reason, HasSubstr("val.csv:3"));
  EXPECT_THAT(list.notes, ElementsAre(AllOf(HasSubstr("1 row has no label and is left out"),
                                            HasSubstr("eee_000000_000010 in line 3"))));
  EXPECT_EQ(DescribeVideoList(list, "val"),
            "val: 2 of 4 listed videos used (1 missing, 0 broken, 1 without a label)");
}

TEST_F(VideoListTest, AFolderThatMayNotBeReadIsNoMissingVideo) {
  const std::string folder = root_ + "/val/air_drumming";
  std::filesystem::permissions(folder, std::filesystem::perms::none);
  // The superuser can read it anyway; a test cannot give up that right permanently.
  const bool superuser = ListFolder(folder).ok();
  if (!superuser) {
    ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
    EXPECT_EQ(list.missing, 2);
    EXPECT_THAT(list.examples[0], AllOf(HasSubstr("aaa_"), HasSubstr("/val/air_drumming: "),
                                        HasSubstr("Permission denied")));
    EXPECT_THAT(list.notes, ElementsAre(AllOf(HasSubstr("/val/air_drumming: Permission denied"),
                                              HasSubstr("count as missing"))));
  }
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  if (superuser) GTEST_SKIP() << "the superuser may read every folder";
}

TEST_F(VideoListTest, AtMostTenExamplesOfEach) {
  std::string rows = kHeader;
  for (int i = 0; i < 30; ++i) rows += "zumba,gone" + std::to_string(i) + ",0,10,val\n";
  Write(root_ + "/val.csv", rows + "zumba,bbb,3,13,val\nzumba,aaa,0,10,val\n");
  dataset_.set_classes(1);
  ASSERT_OK_AND_ASSIGN(const VideoList list, Load());
  EXPECT_EQ(list.missing, 30);
  ASSERT_EQ(list.examples.size(), 11);
  EXPECT_THAT(list.examples[10], HasSubstr("bbb_"));
}

TEST(VideoListCrc32Test, DependsOnNamesLabelsAndOrder) {
  const std::vector<Video> videos = {{"a", "x", 0, 5}, {"b", "y", 1, 6}};
  const uint32_t print = VideoListCrc32(videos);
  EXPECT_EQ(print, Crc32(VideoListText(videos)));
  EXPECT_EQ(print, 0x1a47cf38u);  // zlib's crc32 of "a\t0\nb\t1\n"
  EXPECT_EQ(VideoListCrc32({{"a", "moved", 0, 7}, {"b", "y", 1, 6}}), print);
  EXPECT_NE(VideoListCrc32({videos[1], videos[0]}), print);
  EXPECT_NE(VideoListCrc32({{"a", "x", 1, 5}, {"b", "y", 1, 6}}), print);
}

}  // namespace
}  // namespace op3d::data
