#include "data/video/writer/packed_b_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace op3d::data {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Headers, then a picture of this type: 0 I, 1 P, 2 B.
std::string Packet(int type, const std::string& content) {
  return std::string("head\0\0\1\xB6", 8) + static_cast<char>(type << 6 | 0x10) + content;
}

TEST(BFramePackerTest, PutsBFramesIntoThePacketBefore) {
  BFramePacker packer(25);
  const std::string i = Packet(0, "iiii"), p = Packet(1, "pppp"), b = Packet(2, "bbbb");
  EXPECT_EQ(packer.Add(i), "");
  const std::string first = packer.Add(p);
  EXPECT_THAT(first, StartsWith(std::string("head\0\0\1\xB2"
                                            "DivX503b1393p",
                                            21)));
  EXPECT_THAT(first, HasSubstr("iiii"));
  EXPECT_EQ(packer.Add(b), p + b);
  const std::string empty = packer.Add(p);
  // 01 0 1 00000 1 0 0, ones
  EXPECT_EQ(empty, std::string("\0\0\1\xB6\x50\x4F", 6));
  EXPECT_EQ(packer.Finish(), p);
  EXPECT_EQ(packer.Finish(), "");
}

}  // namespace
}  // namespace op3d::data
