#include "data/video/file/nal_units.h"

#include <gtest/gtest.h>

#include <vector>

namespace op3d::data {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(NalLengthSizeTest, ReadsTheConfigurationRecord) {
  EXPECT_EQ(NalLengthSize(NalCodec::kH264, Bytes{1, 100, 0, 31, 0xff, 0xe1}), 4);
  EXPECT_EQ(NalLengthSize(NalCodec::kH264, Bytes{1, 100, 0, 31, 0xfd, 0xe1}), 2);
  Bytes hevc(23, 0);
  hevc[0] = 1;
  hevc[21] = 0x0c;
  EXPECT_EQ(NalLengthSize(NalCodec::kHevc, hevc), 1);
}

TEST(NalLengthSizeTest, StartCodesHaveNone) {
  EXPECT_EQ(NalLengthSize(NalCodec::kH264, Bytes{0, 0, 0, 1, 0x67}), 0);
  EXPECT_EQ(NalLengthSize(NalCodec::kH264, {}), 0);
  EXPECT_EQ(NalLengthSize(NalCodec::kHevc, Bytes{1, 2, 3}), 0);
}

TEST(NalUnitsTest, TellsAnH264KeyFrameFromOthers) {
  const NalUnits idr = InspectNalUnits(NalCodec::kH264, 4, Bytes{0, 0, 0, 2, 0x65, 9});
  EXPECT_TRUE(idr.whole && idr.picture && idr.random_access);
  // A supplemental message and a slice: a recovery point may look like this.
  const NalUnits slice = InspectNalUnits(NalCodec::kH264, 2, Bytes{0, 1, 6, 0, 2, 0x41, 9});
  EXPECT_TRUE(slice.whole && slice.picture);
  EXPECT_FALSE(slice.random_access);
  const NalUnits message = InspectNalUnits(NalCodec::kH264, 2, Bytes{0, 1, 6});
  EXPECT_FALSE(message.picture);
}

TEST(NalUnitsTest, TellsAnHevcRandomAccessPoint) {
  const auto inspect = [](int type) {
    return InspectNalUnits(NalCodec::kHevc, 1, Bytes{2, static_cast<uint8_t>(type << 1), 1});
  };
  EXPECT_TRUE(inspect(16).random_access);  // BLA
  EXPECT_TRUE(inspect(19).random_access);  // IDR
  EXPECT_TRUE(inspect(21).random_access);  // CRA
  EXPECT_FALSE(inspect(1).random_access);  // trailing picture
  EXPECT_TRUE(inspect(1).picture);
  EXPECT_FALSE(inspect(33).picture);  // parameter set
}

TEST(NalUnitsTest, SeesWhereASequenceStartsAndEnds) {
  EXPECT_TRUE(InspectNalUnits(NalCodec::kH264, 1, Bytes{1, 0x65}).starts_sequence);
  EXPECT_FALSE(InspectNalUnits(NalCodec::kH264, 1, Bytes{1, 0x41}).starts_sequence);
  const auto inspect = [](int type) {
    return InspectNalUnits(NalCodec::kHevc, 1, Bytes{2, static_cast<uint8_t>(type << 1), 1});
  };
  EXPECT_TRUE(inspect(16).starts_sequence);   // BLA
  EXPECT_TRUE(inspect(20).starts_sequence);   // IDR
  EXPECT_FALSE(inspect(21).starts_sequence);  // CRA: its leading pictures go on with the one before
  EXPECT_FALSE(inspect(21).ends_sequence);
  EXPECT_TRUE(inspect(36).ends_sequence);
}

TEST(NalUnitsTest, SeesThatAPacketIsNotWhole) {
  EXPECT_FALSE(InspectNalUnits(NalCodec::kH264, 4, Bytes{0, 0, 0, 9, 0x41, 1}).whole);
  EXPECT_FALSE(InspectNalUnits(NalCodec::kH264, 4, Bytes{0, 0, 0, 1, 0x41, 1}).whole);
  EXPECT_FALSE(InspectNalUnits(NalCodec::kH264, 4, Bytes{0xff, 0xff, 0xff, 0xff, 0x41}).whole);
  EXPECT_TRUE(InspectNalUnits(NalCodec::kH264, 4, {}).whole);
}

TEST(NalUnitsTest, FindsUnitsBehindStartCodes) {
  const NalUnits units = InspectNalUnits(
      NalCodec::kH264, 0, Bytes{0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 0, 0, 1, 0x65, 3});
  EXPECT_TRUE(units.whole && units.picture && units.random_access);
  EXPECT_FALSE(InspectNalUnits(NalCodec::kH264, 0, Bytes{0, 0, 1}).picture);
}

}  // namespace
}  // namespace op3d::data
