#include "data/video/remote/remote_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/video/testing/test_server.h"
#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

class RemoteFilesTest : public testing::Test {
 protected:
  RemoteFilesTest() { settings_.set_cache_folder(JoinPath(folder_, "cache")); }

  std::string Content(const RemoteFiles& remote, const std::string& url) {
    const absl::StatusOr<CachedFile> file = remote.Fetch(url);
    if (!file.ok()) return std::string(file.status().message());
    return ReadFile(file->path).value_or("unreadable");
  }

  const std::string folder_ = TestFolder("remote_files");
  RemoteSettings settings_;
};

TEST_F(RemoteFilesTest, IsOffByDefault) {
  ASSERT_OK_AND_ASSIGN(const auto off, RemoteFiles::Make(settings_));
  EXPECT_EQ(off, nullptr);
  EXPECT_FALSE(FolderExists(settings_.cache_folder()));
  EXPECT_THAT(FetchRemote(off.get(), "http://localhost/a.mp4"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("remote data is off")));
  EXPECT_THAT(CheckRemote(off.get(), "http://localhost/a.mp4"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("allowed_hosts")));
}

TEST_F(RemoteFilesTest, FetchesOnceAndOnlyWhatIsAllowed) {
  TestServer server([](const TestServer::Request& request, TestServer::Connection* connection) {
    connection->SendFile(request, "content of " + request.target);
  });
  settings_.add_allowed_hosts(server.host());
  settings_.set_s3_endpoint(server.Url(""));
  ASSERT_OK_AND_ASSIGN(const auto remote, RemoteFiles::Make(settings_));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Content(*remote, server.Url("/a b.MP4")), "content of /a%20b.MP4");
    EXPECT_EQ(Content(*remote, "s3://bucket/c.mp4"), "content of /bucket/c.mp4");
    EXPECT_EQ(server.requests(), 2);
  }
  EXPECT_TRUE(absl::EndsWith(remote->Fetch(server.Url("/a b.MP4"))->path, ".mp4"));
  EXPECT_THAT(remote->Check(server.Url("/new")), IsOk());
  EXPECT_THAT(
      remote->Fetch("http://localhost:1/a"),
      StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("localhost:1 is not allowed")));
  // What is in the cache is not given to settings that do not allow its host.
  settings_.set_allowed_hosts(0, "other.example.org");
  ASSERT_OK_AND_ASSIGN(const auto strict, RemoteFiles::Make(settings_));
  EXPECT_THAT(strict->Fetch(server.Url("/a b.MP4")),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not allowed")));
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(RemoteFilesTest, AMemberOfATar) {
  const std::string tar = MakeTestTar({{"run/a b.mp4", "video"}});
  TestServer server([&](const TestServer::Request& request, TestServer::Connection* connection) {
    connection->SendFile(request, tar);
  });
  settings_.add_allowed_hosts(server.host());
  ASSERT_OK_AND_ASSIGN(const auto remote, RemoteFiles::Make(settings_));
  ASSERT_OK_AND_ASSIGN(const CachedFile file, remote->Fetch(server.Url("/s.tar/run/a%20b.mp4")));
  EXPECT_TRUE(absl::EndsWith(file.path, ".tar/run/a b.mp4"));
  EXPECT_EQ(ReadFile(file.path.substr(0, file.path.find(".tar/") + 4)).value(), tar);
}

// A list of many files of a host that is down does not wait for each of them.
TEST_F(RemoteFilesTest, AHostThatIsDown) {
  std::atomic<bool> down{false};
  TestServer server([&](const TestServer::Request& request, TestServer::Connection* connection) {
    if (down) {
      connection->SendStatus("503 Down");
    } else {
      connection->SendFile(request, "content");
    }
  });
  settings_.add_allowed_hosts(server.host());
  settings_.set_tries(1);
  ASSERT_OK_AND_ASSIGN(const auto remote, RemoteFiles::Make(settings_));
  EXPECT_EQ(Content(*remote, server.Url("/there")), "content");
  down = true;
  for (int i = 0; i < 3 * RemoteFiles::kMostFailures; ++i) {
    EXPECT_THAT(remote->Fetch(server.Url(absl::StrCat("/", i))),
                StatusIs(absl::StatusCode::kUnavailable,
                         HasSubstr(i < RemoteFiles::kMostFailures ? "503" : "not asked for")));
  }
  EXPECT_EQ(server.requests(), 1 + RemoteFiles::kMostFailures);
  // What is in the cache can be read all the time.
  EXPECT_EQ(Content(*remote, server.Url("/there")), "content");
}

TEST_F(RemoteFilesTest, ChecksTheSettings) {
  settings_.add_allowed_hosts("https://data.example.org/");
  EXPECT_THAT(RemoteFiles::Make(settings_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected a host alone")));
  settings_.set_allowed_hosts(0, "data.example.org");
  settings_.set_timeout_seconds(-1);
  EXPECT_THAT(RemoteFiles::Make(settings_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("dataset.remote.timeout_seconds is -1; it must be at least 0")));
}

}  // namespace
}  // namespace op3d::data
