#include "data/video/remote/remote_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

std::string Parsed(absl::string_view url, absl::string_view endpoint = "") {
  const absl::StatusOr<RemoteUrl> parsed = ParseRemoteUrl(url, endpoint);
  return parsed.ok() ? parsed->Text() : std::string(parsed.status().message());
}

TEST(RemoteUrlTest, TellsUrlsFromPaths) {
  for (const char* url : {"http://h/a", "https://h", "s3://b/k", "ftp://h/a", "FILE:///a"}) {
    EXPECT_TRUE(IsUrl(url)) << url;
  }
  for (const char* path : {"a.mp4", "/a://b", "http:/a", "://a", "a b://c", "1a://b", ""}) {
    EXPECT_FALSE(IsUrl(path)) << path;
  }
  EXPECT_EQ(WithoutFileScheme("file:///data/a%20b.mp4"), "/data/a b.mp4");
  EXPECT_EQ(WithoutFileScheme("file://localhost/a"), "/a");
  EXPECT_EQ(WithoutFileScheme("http://h/a"), "http://h/a");
  EXPECT_EQ(WithoutFileScheme("a%20b"), "a%20b");
}

TEST(RemoteUrlTest, ParsesAndEncodes) {
  EXPECT_EQ(Parsed("HTTP://Data.Example.org/A b/\xC3\xA4#1.mp4?x=%20y"),
            "http://data.example.org/A%20b/%C3%A4%231.mp4?x=%20y");
  EXPECT_EQ(Parsed("https://h:443/a"), "https://h/a");
  EXPECT_EQ(Parsed("https://h:80"), "https://h:80/");
  EXPECT_EQ(Parsed("http://[::1]:8000/a"), "http://[::1]:8000/a");
  EXPECT_EQ(Parsed("http://[::1]/a"), "http://[::1]/a");
  EXPECT_EQ(Parsed("http://h?q=/a"), "http://h/?q=/a");
  EXPECT_EQ(Parsed("s3://bucket/a b/c%20#+.mp4", "https://s3.example.org/"),
            "https://s3.example.org/bucket/a%20b/c%2520%23%2B.mp4");
  EXPECT_THAT(Parsed("s3://bucket/a"), HasSubstr("s3_endpoint"));
  for (const char* url : {"s3://bucket", "s3://bucket/", "s3:///a"}) {
    EXPECT_THAT(Parsed(url, "https://e"), HasSubstr("s3://bucket/key")) << url;
  }
  EXPECT_THAT(Parsed("ftp://h/a"), HasSubstr("http, https or s3"));
  EXPECT_THAT(Parsed("http:///a"), HasSubstr("no host"));
  EXPECT_THAT(Parsed("http://a b/c"), HasSubstr("no host"));
  EXPECT_THAT(Parsed("http://::1/c"), HasSubstr("no host"));
  EXPECT_THAT(Parsed("http://h:0/c"), HasSubstr("port"));
  EXPECT_THAT(Parsed("http://h:65536/c"), HasSubstr("port"));
  EXPECT_THAT(Parsed("http://me:secret@h/c"), HasSubstr("user name or password"));
  EXPECT_THAT(Parsed("http://h/a\r\nX: y"), HasSubstr("control characters"));
  EXPECT_THAT(Parsed("http://h/" + std::string(9000, 'a')), HasSubstr("9009 bytes"));
}

TEST(RemoteUrlTest, JoinsAndSplits) {
  EXPECT_EQ(JoinUrl("http://h/v/", "a b/c#.mp4"), "http://h/v/a%20b/c%23.mp4");
  EXPECT_EQ(JoinUrl("http://h/v", "./c%.mp4"), "http://h/v/c%25.mp4");
  EXPECT_EQ(JoinUrl("s3://b/v", "a b.mp4"), "s3://b/v/a b.mp4");
  EXPECT_EQ(JoinUrl("http://h/v", "https://o/x y.mp4"), "https://o/x y.mp4");
  const auto inside = SplitTarUrl("http://h/s.TAR/a%20b/c.mp4");
  ASSERT_TRUE(inside.has_value());
  EXPECT_EQ(inside->tar, "http://h/s.TAR");
  EXPECT_EQ(inside->member, "a b/c.mp4");
  EXPECT_EQ(SplitTarUrl("s3://b/s.tar/a%20b.mp4")->member, "a%20b.mp4");
  EXPECT_FALSE(SplitTarUrl("http://h/s.tar").has_value());
  EXPECT_FALSE(SplitTarUrl("http://h/a.mp4?f=s.tar/b").has_value());
}

TEST(RemoteUrlTest, Redirects) {
  const RemoteUrl base = *ParseRemoteUrl("http://h:81/v/a.mp4?x=/y", "");
  const auto resolved = [&](const char* place) {
    const auto url = ResolveRedirect(base, place);
    return url.ok() ? url->Text() : std::string(url.status().message());
  };
  EXPECT_EQ(resolved("https://o/b"), "https://o/b");
  EXPECT_EQ(resolved("//o/b"), "http://o/b");
  EXPECT_EQ(resolved("/b"), "http://h:81/b");
  EXPECT_EQ(resolved("b"), "http://h:81/v/b");
  EXPECT_THAT(resolved("s3://b/k"), HasSubstr("endpoint"));
}

TEST(RemoteUrlTest, AllowedHosts) {
  const auto allowed = [](const char* url, const std::vector<std::string>& hosts) {
    return CheckAllowed(*ParseRemoteUrl(url, ""), hosts).ok();
  };
  EXPECT_TRUE(allowed("http://h/a", {"o", "H"}));
  EXPECT_TRUE(allowed("https://h/a", {"h"}));
  EXPECT_TRUE(allowed("http://h:81/a", {"h:81"}));
  EXPECT_FALSE(allowed("http://h:81/a", {"h"}));
  EXPECT_FALSE(allowed("http://h/a", {"h:81"}));
  EXPECT_FALSE(allowed("http://h.evil/a", {"h"}));
  EXPECT_FALSE(allowed("http://eh/a", {"h"}));
  EXPECT_FALSE(allowed("http://h/a", {}));
  EXPECT_THAT(CheckAllowed(*ParseRemoteUrl("http://h:81/a", ""), {"o"}),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("allow it with allowed_hosts: \"h:81\"")));
}

}  // namespace
}  // namespace op3d::data
