#include "data/video/file/mpeg4_pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace op3d::data {
namespace {

using Type = Mpeg4Picture::Type;

// "0101 1..." as bytes, padded with ones.
std::vector<uint8_t> Bytes(std::string bits) {
  std::string plain;
  for (const char bit : bits) {
    if (bit != ' ') plain += bit;
  }
  while (plain.size() % 8 != 0) plain += '1';
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < plain.size(); i += 8) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(plain.substr(i, 8), nullptr, 2)));
  }
  return bytes;
}

void Append(uint8_t code, const std::vector<uint8_t>& content, std::vector<uint8_t>* packet) {
  packet->insert(packet->end(), {0, 0, 1, code});
  packet->insert(packet->end(), content.begin(), content.end());
}

void AppendText(const std::string& text, std::vector<uint8_t>* packet) {
  Append(0xB2, std::vector<uint8_t>(text.begin(), text.end()), packet);
}

// type 17, no version, square pixels, `control`, rectangular, marker, 25 units a second (5 bits).
std::vector<uint8_t> Layer(const std::string& control) {
  return Bytes("0 00010001 0 0001 " + control + " 00 1 0000000000011001 1 0");
}

// A picture at time 3, 5 bits of time.
std::vector<uint8_t> Picture(const std::string& type, bool coded) {
  return Bytes(type + " 0 1 00011 1 " + (coded ? "1" : "0") + " 0110");
}

TEST(Mpeg4PicturesTest, FindsPictures) {
  Mpeg4Pictures stream;
  std::vector<uint8_t> packet;
  Append(0x20, Layer("1 01 0 0"), &packet);
  Append(0xB6, Picture("01", true), &packet);
  Append(0xB6, Picture("10", true), &packet);
  const std::vector<Mpeg4Picture> pictures = stream.Find(packet);
  EXPECT_TRUE(stream.has_layer());
  EXPECT_FALSE(stream.low_delay());
  ASSERT_EQ(pictures.size(), 2);
  EXPECT_EQ(pictures[0].type, Type::kP);
  EXPECT_EQ(pictures[1].type, Type::kB);
  EXPECT_TRUE(pictures[0].valid && pictures[0].coded);
  packet.clear();
  Append(0xB6, Picture("01", false), &packet);
  const std::vector<Mpeg4Picture> empty = stream.Find(packet);
  ASSERT_EQ(empty.size(), 1);
  EXPECT_TRUE(empty[0].valid);
  EXPECT_FALSE(empty[0].coded);
}

TEST(Mpeg4PicturesTest, ReadsTheDelay) {
  for (const auto& [control, low_delay] :
       {std::pair<const char*, bool>{"0", true}, {"1 01 0 0", false}, {"1 01 1 0", true}}) {
    Mpeg4Pictures stream;
    std::vector<uint8_t> packet;
    Append(0x20, Layer(control), &packet);
    stream.ReadHeaders(packet);
    EXPECT_EQ(stream.low_delay(), low_delay) << control;
  }
  // With 79 bits about buffers before it.
  Mpeg4Pictures stream;
  std::vector<uint8_t> packet;
  Append(0x20, Layer("1 01 0 1 " + std::string(79, '1')), &packet);
  stream.ReadHeaders(packet);
  EXPECT_TRUE(stream.has_layer());
  EXPECT_FALSE(stream.low_delay());
}

TEST(Mpeg4PicturesTest, KnowsWhoPacks) {
  for (const auto& [text, packed] : {std::pair<const char*, bool>{"DivX503b1393p", true},
                                     {"DivX503b1393", false},
                                     {"DivX501Build413p", true},
                                     {"XviD0050", false},
                                     {"DivXp", false},
                                     {"Lavc59.37", false}}) {
    Mpeg4Pictures stream;
    std::vector<uint8_t> packet;
    AppendText(text, &packet);
    stream.ReadHeaders(packet);
    EXPECT_EQ(stream.packed(), packed) << text;
  }
}

TEST(Mpeg4PicturesTest, DoubtsWhatMakesNoSense) {
  Mpeg4Pictures stream;
  std::vector<uint8_t> picture;
  Append(0xB6, Picture("01", true), &picture);
  EXPECT_FALSE(stream.Find(picture)[0].valid);  // no layer yet
  std::vector<uint8_t> layer;
  Append(0x20, Layer("0"), &layer);
  stream.ReadHeaders(layer);
  EXPECT_TRUE(stream.Find(picture)[0].valid);
  std::vector<uint8_t> unmarked;
  Append(0xB6, Bytes("01 0 0 00011 1 1"), &unmarked);
  EXPECT_FALSE(stream.Find(unmarked)[0].valid);
  const std::vector<uint8_t> cut = {0, 0, 1, 0xB6, 0x56};
  EXPECT_FALSE(stream.Find(cut)[0].valid);
  EXPECT_TRUE(stream.Find(std::vector<uint8_t>{0, 0, 1}).empty());
  // An endless sequence of ones ends with the packet.
  std::vector<uint8_t> ones = {0, 0, 1, 0xB6};
  ones.insert(ones.end(), 100, 0xFF);
  EXPECT_FALSE(stream.Find(ones)[0].valid);
}

}  // namespace
}  // namespace op3d::data
