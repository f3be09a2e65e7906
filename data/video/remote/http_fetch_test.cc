#include "data/video/remote/http_fetch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/video/testing/test_server.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Connection = TestServer::Connection;
using Request = TestServer::Request;

class HttpFetchTest : public testing::Test {
 protected:
  HttpFetchTest() {
    for (int i = 0; i < 300'000; ++i) bytes_ += static_cast<char>(i * 7 + i / 251);
    options_.timeout_seconds = 0.3;
    options_.tries = 3;
    options_.retry_seconds = 0.01;
  }

  // Fetches from a server that answers like this.
  absl::Status Get(const TestServer& server, absl::string_view target = "/a.mp4") {
    options_.allowed_hosts.push_back(server.host());
    const std::string path = JoinPath(folder_, "copy");
    RemoveFile(path).IgnoreError();
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    reserved_.clear();
    const auto start = std::chrono::steady_clock::now();
    const absl::StatusOr<RemoteUrl> url = ParseRemoteUrl(server.Url(target), "");
    EXPECT_THAT(url, IsOk());
    const absl::Status status = FetchHttp(
        *url, options_,
        [this](int64_t bytes) {
          reserved_.push_back(bytes);
          return reserve_status_;
        },
        file);
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ::close(file);
    content_ = ReadFile(path).value();
    return status;
  }

  absl::Status Get(TestServer::Handler handler) {
    TestServer server(std::move(handler));
    const absl::Status status = Get(server);
    requests_ = server.requests();
    return status;
  }

  // A head and then nothing of what it announces.
  absl::Status GetHead(const std::string& head) {
    return Get([head](const Request&, Connection* connection) { connection->Send(head); });
  }

  const std::string folder_ = TestFolder("http_fetch");
  std::string bytes_;
  HttpOptions options_;
  absl::Status reserve_status_;
  std::vector<int64_t> reserved_;
  std::string content_;
  double seconds_ = 0;
  int requests_ = 0;
};

TEST_F(HttpFetchTest, AWholeFile) {
  std::string text;
  EXPECT_THAT(Get([&](const Request& request, Connection* connection) {
                text = request.text;
                connection->SendFile(request, bytes_);
              }),
              IsOk());
  EXPECT_TRUE(content_ == bytes_);
  EXPECT_THAT(reserved_, ElementsAre(300'000));
  EXPECT_EQ(requests_, 1);
  EXPECT_THAT(text,
              AllOf(HasSubstr("GET /a.mp4 HTTP/1.1\r\nHost: localhost:"),
                    HasSubstr("Accept-Encoding: identity\r\n"), HasSubstr("Connection: close")));
}

TEST_F(HttpFetchTest, ContinuesWhereTheConnectionBroke) {
  std::vector<int64_t> starts;
  EXPECT_THAT(Get([&](const Request& request, Connection* connection) {
                starts.push_back(request.start);
                if (request.number == 1) {
                  connection->SendPart(bytes_, 100'000, "\"v1\"");
                } else {
                  connection->SendFile(request, bytes_, "\"v1\"");
                }
              }),
              IsOk());
  EXPECT_TRUE(content_ == bytes_);
  EXPECT_THAT(starts, ElementsAre(0, 100'000));
  EXPECT_THAT(reserved_, ElementsAre(300'000));
}

TEST_F(HttpFetchTest, AFileThatChangesBetweenTwoTries) {
  const std::string other(200'000, 'o');
  EXPECT_THAT(Get([&](const Request& request, Connection* connection) {
                if (request.number == 1) {
                  connection->SendPart(bytes_, 100'000, "\"v1\"");
                } else {
                  connection->SendFile(request, other, "\"v2\"");
                }
              }),
              IsOk());
  EXPECT_TRUE(content_.substr(0, other.size()) == other);
  EXPECT_THAT(reserved_, ElementsAre(300'000, 200'000));
}

TEST_F(HttpFetchTest, WithoutAVersionItStartsAgain) {
  std::vector<int64_t> starts;
  EXPECT_THAT(Get([&](const Request& request, Connection* connection) {
                starts.push_back(request.start);
                connection->SendPart(bytes_, request.number == 1 ? 100'000 : bytes_.size());
              }),
              IsOk());
  EXPECT_TRUE(content_ == bytes_);
  EXPECT_THAT(starts, ElementsAre(0, 0));
}

TEST_F(HttpFetchTest, APartThatWasNotAskedFor) {
  for (const char* range : {"bytes 0-199999/300000", "bytes 100000-299999/300001",
                            "bytes 100000-299999/*", "bytes 100001-300000/300001", ""}) {
    EXPECT_THAT(Get([&](const Request& request, Connection* connection) {
                  if (request.number == 1) {
                    connection->SendPart(bytes_, 100'000, "\"v1\"");
                  } else if (request.number == 2) {
                    connection->Send(absl::StrCat("HTTP/1.1 206 Part\r\nContent-Length: 200000\r\n",
                                                  "Content-Range: ", range, "\r\n\r\n"));
                    connection->Send(std::string(200'000, 'x'));
                  } else {
                    connection->SendFile(request, bytes_, "\"v1\"");
                  }
                }),
                IsOk())
        << range;
    EXPECT_TRUE(content_ == bytes_) << range;
  }
}

TEST_F(HttpFetchTest, AServerThatStalls) {
  const std::vector<TestServer::Handler> stalls = {
      [](const Request&, Connection* connection) { connection->Stall(); },
      [](const Request&, Connection* connection) {
        connection->Send("HTTP/1.1 200 OK\r\nContent-Le");
        connection->Stall();
      },
      [this](const Request&, Connection* connection) {
        connection->SendPart(bytes_, 100, "\"v\"");
        connection->Stall();
      },
      // A byte now and then.
      [](const Request&, Connection* connection) {
        connection->Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for (int i = 0; i < 30; ++i) {
          connection->Send("x");
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }};
  options_.tries = 2;
  for (const TestServer::Handler& handler : stalls) {
    EXPECT_THAT(Get(handler), StatusIs(absl::StatusCode::kUnavailable,
                                       AllOf(HasSubstr("less than 1024 bytes a second"),
                                             HasSubstr("the last of 2 tries"))));
    EXPECT_EQ(requests_, 2);
    EXPECT_LT(seconds_, 3);
  }
}

TEST_F(HttpFetchTest, AServerThatTruncatesOrLies) {
  // It closes early, always: also a size that is too large.
  EXPECT_THAT(Get([&](const Request&, Connection* connection) {
                connection->SendPart(bytes_, 1000, "\"v\"");
              }),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("after 1000 of 300000 bytes: the server closed the connection")));
  EXPECT_EQ(requests_, 3);
  // A size that is too small: what was announced, and not a byte more.
  EXPECT_THAT(GetHead("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), IsOk());
  EXPECT_EQ(content_, "abc");
  EXPECT_THAT(GetHead("HTTP/1.1 200 OK\r\n\r\nabc"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Content-Length")));
  EXPECT_EQ(requests_, 1);
  for (const char* length : {"-3", "3x", "99999999999999999999", ""}) {
    EXPECT_THAT(GetHead(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", length, "\r\n\r\n")),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Content-Length")))
        << length;
  }
  EXPECT_THAT(GetHead("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is empty")));
  EXPECT_THAT(GetHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("'chunked'")));
  EXPECT_THAT(GetHead("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("'gzip'")));
  EXPECT_THAT(GetHead("SSH-2.0-OpenSSH\r\n\r\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not answer in HTTP/1")));
  EXPECT_THAT(GetHead(std::string(200'000, 'h')),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("headers")));
  // Room for the size that it claims is asked for before anything is written.
  reserve_status_ = absl::ResourceExhaustedError("no room");
  EXPECT_THAT(GetHead("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no room")));
  EXPECT_THAT(reserved_, ElementsAre(9'000'000'000'000'000'000));
}

TEST_F(HttpFetchTest, AnswersThatAreNoFile) {
  const auto status = [this](const std::string& line) {
    return Get([line](const Request&, Connection* connection) { connection->SendStatus(line); });
  };
  EXPECT_THAT(status("404 Not Found"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/a.mp4: ")));
  EXPECT_EQ(requests_, 1);
  EXPECT_THAT(status("403 Forbidden"),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("presigned")));
  EXPECT_THAT(status("418 Teapot"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("418")));
  EXPECT_EQ(requests_, 1);
  EXPECT_THAT(status("500 Error"), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("500")));
  EXPECT_EQ(requests_, 3);
  EXPECT_THAT(Get([&](const Request& request, Connection* connection) {
                if (request.number < 3) {
                  connection->SendStatus("503 Slow Down");
                } else {
                  connection->SendFile(request, bytes_);
                }
              }),
              IsOk());
  EXPECT_TRUE(content_ == bytes_);
}

TEST_F(HttpFetchTest, RedirectsOnlyToAllowedHosts) {
  TestServer other([&](const Request& request, Connection* connection) {
    connection->SendFile(request, bytes_);
  });
  const std::string there = other.Url("/b.mp4");
  const auto redirect = [this](const std::string& place) {
    return Get([&](const Request& request, Connection* connection) {
      if (request.target == "/good/c.mp4") {
        connection->SendFile(request, bytes_);
      } else {
        connection->SendStatus("302 Found", absl::StrCat("Location: ", place, "\r\n"));
      }
    });
  };
  EXPECT_THAT(redirect(there), StatusIs(absl::StatusCode::kPermissionDenied,
                                        AllOf(HasSubstr(other.host()), HasSubstr("not allowed"))));
  EXPECT_EQ(other.requests(), 0);
  options_.allowed_hosts.push_back(other.host());
  EXPECT_THAT(redirect(there), IsOk());
  EXPECT_EQ(other.requests(), 1);
  for (const char* place : {"/good/c.mp4", "good/c.mp4"})
    EXPECT_THAT(redirect(place), IsOk()) << place;
  EXPECT_THAT(redirect("/circle"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("more than 5 redirects")));
  EXPECT_EQ(requests_, 6);
  for (const char* place :
       {"", "file:///etc/passwd", "ftp://localhost/x", "http://u:p@localhost/"}) {
    EXPECT_THAT(redirect(place),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("redirect")))
        << place;
  }
}

TEST_F(HttpFetchTest, NoServer) {
  std::string host;
  {
    TestServer server([](const Request&, Connection*) {});
    host = server.host();
  }
  options_.allowed_hosts = {host};
  const auto none = [](int64_t) { return absl::OkStatus(); };
  EXPECT_THAT(
      FetchHttp(*ParseRemoteUrl(absl::StrCat("http://", host, "/a"), ""), options_, none, -1),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot connect to localhost")));
  // Without TLS at the other side.
  TestServer plain([&](const Request& request, Connection* connection) {
    connection->SendFile(request, bytes_);
  });
  options_.allowed_hosts = {plain.host()};
  EXPECT_THAT(FetchHttp(*ParseRemoteUrl(absl::StrCat("https://", plain.host(), "/a"), ""), options_,
                        none, -1),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot connect to localhost")));
}

}  // namespace
}  // namespace op3d::data
