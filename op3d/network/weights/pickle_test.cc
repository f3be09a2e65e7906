#include "op3d/network/weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Kind = PickleValue::Kind;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// A literal with zeros in it.
template <size_t kSize>
std::string Bytes(const char (&literal)[kSize]) {
  return std::string(literal, kSize - 1);
}

// Protocol 2, `program`, STOP.
std::string Program(absl::string_view program) {
  return std::string("\x80\x02", 2) + std::string(program) + ".";
}

absl::Status Parse(const std::string& bytes) { return Pickle::Parse(bytes).status(); }

TEST(PickleTest, ReadsNumbersTextAndContainers) {
  // {"a": [1, -2, 1.5, True, None], 3: (2 ** 70,)}
  const std::string bytes =
      Program(Bytes("}q\x00(X\x01\x00\x00\x00"
                    "a]q\x01(K\x01J\xfe\xff\xff\xffG\x3f\xf8\x00\x00\x00\x00\x00\x00\x88NeK\x03"
                    "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x40\x85u"));
  const std::string longer = bytes + "rest";
  ASSERT_OK_AND_ASSIGN(const Pickle pickle, Pickle::Parse(longer));
  EXPECT_EQ(pickle.size(), bytes.size());
  const PickleValue& root = *pickle.root();
  ASSERT_EQ(root.kind, Kind::kDict);
  ASSERT_EQ(root.items.size(), 4);
  EXPECT_EQ(root.items[0]->text, "a");
  const auto& list = root.items[1]->items;
  ASSERT_EQ(list.size(), 5);
  EXPECT_EQ(list[0]->integer, 1);
  EXPECT_EQ(list[1]->integer, -2);
  EXPECT_EQ(list[2]->real, 1.5);
  EXPECT_EQ(list[3]->kind, Kind::kBool);
  EXPECT_EQ(list[4]->kind, Kind::kNone);
  EXPECT_EQ(root.items[3]->items[0]->kind, Kind::kLong);
}

TEST(PickleTest, CallsAreKeptNotMade) {
  const std::string bytes = Program("ccollections\nOrderedDict\n)R");
  ASSERT_OK_AND_ASSIGN(const Pickle pickle, Pickle::Parse(bytes));
  EXPECT_TRUE(IsCallOf(*pickle.root(), "collections", "OrderedDict"));
}

// NEWOBJ_EX, a class from getattr, a subclass of list, sets, bytes, a tuple in a cycle: content
// that files have in addition to weights.
TEST(PickleTest, ObjectsOfAnyClassAreData) {
  for (const std::string& program :
       {Bytes("cargparse\nNamespace\n)\x81}b"), Bytes("cmy.module\nNet\n)}\x92"),
        Bytes("cbuiltins\ngetattr\ncmy\nOuter\nX\x05\x00\x00\x00Inner\x86R)\x81"),
        Bytes("cmy\nList\n)\x81(NNe"), Bytes("\x8f(K\x01\x90"), Bytes("(K\x01\x91"),
        Bytes("C\x02xy"),
        Bytes("B\x02\x00\x00\x00"
              "ab"),
        Bytes("K\x01(K\x02"
              "1"),
        Bytes("K\x01K\x02"
              "0")}) {
    EXPECT_THAT(Parse(Program(program)), IsOk()) << program;
  }
  const std::string bytes = Program("cmy\nDict\n)\x81(K\x01K\x02u");
  ASSERT_OK_AND_ASSIGN(const Pickle pickle, Pickle::Parse(bytes));
  EXPECT_EQ(pickle.root()->extra.size(), 2);
  EXPECT_TRUE(pickle.root()->appended.empty());
}

TEST(PickleTest, RefusesNamesThatOnlyAnAttackNeeds) {
  EXPECT_THAT(Parse(Program("cposix\nsystem\n)R")),
              StatusIs(kInvalid, AllOf(HasSubstr("asks for posix.system"), HasSubstr("at byte 2"),
                                       HasSubstr("nothing of it was run"))));
  EXPECT_THAT(Parse(Program("cbuiltins\neval\n")), StatusIs(kInvalid, HasSubstr("builtins.eval")));
  EXPECT_THAT(Parse(Program("X\x09")), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut off")));
  EXPECT_THAT(Parse(Bytes("\x80\x04\x8c\x02os\x8c\x06system\x93.")),
              StatusIs(kInvalid, HasSubstr("asks for os.system")));
  EXPECT_THAT(Parse(Program("c__builtin__\neval\n")), StatusIs(kInvalid, HasSubstr("eval")));
}

TEST(PickleTest, RefusesOtherOpcodesByNumberAndPlace) {
  // INST, OBJ, EXT1, text-mode INT and so on: torch.save writes none of them.
  for (const char opcode : {'i', 'o', '\x82', 'I', 'S', 'p', 'g', 'd', 'l', '2'}) {
    EXPECT_THAT(Parse(Program(std::string("N") + opcode)),
                StatusIs(kInvalid, AllOf(HasSubstr("has the opcode 0x"), HasSubstr("at byte 3"))));
  }
  EXPECT_THAT(Parse(std::string("\x80\x06N.", 4)), StatusIs(kInvalid, HasSubstr("protocol 6")));
}

TEST(PickleTest, RefusesProgramsThatDoNotAddUp) {
  for (const char* program : {"", "NN", "(", "t", "e", "a", "R", "b", "Q", "h\x07", "N)R", "NNb",
                              "N(Ku", "](Nu", "}(Ne", "}(NNNu", "q\x01"}) {
    EXPECT_FALSE(Parse(Program(program)).ok()) << program;
  }
  EXPECT_THAT(Parse(std::string("\x80\x02", 2)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut off")));
}

TEST(PickleTest, LengthsThatLieAreNotBelieved) {
  EXPECT_THAT(Parse(Program(Bytes("X\xff\xff\xff\xff"))),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("4294967295 bytes at byte 7")));
}

TEST(PickleTest, ValuesAndRecallsAreBounded) {
  EXPECT_THAT(
      Parse(Program(std::string(1100000, 'N'))),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more than 1000000 values")));
  std::string recalls("Nq\x00", 3);
  for (int i = 0; i < 1100000; ++i) recalls.append("h\x00", 2);
  EXPECT_THAT(Parse(Program(recalls)), StatusIs(kInvalid, HasSubstr("recalls more")));
}

}  // namespace
}  // namespace op3d
