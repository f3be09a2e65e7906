#include "op3d/base/textproto.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"
#include "op3d/base/testing.pb.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TextprotoTest, ErrorNamesSourceLineAndColumn) {
  TextprotoTestMessage message;
  EXPECT_THAT(ParseTextproto("name: 'x'\n  rat: 1\n", "my.textproto", &message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(HasSubstr("my.textproto:2:"), HasSubstr("rat"))));
}

TEST(TextprotoTest, FileRoundTripKeepsEveryBitOfADouble) {
  const std::string path = JoinPath(TestFolder("textproto"), "a.textproto");
  TextprotoTestMessage message, read;
  message.set_rate(0.1 + 0.2);
  ASSERT_THAT(WriteTextproto(path, message), IsOk());
  ASSERT_THAT(ReadTextproto(path, &read), IsOk());
  EXPECT_EQ(read.rate(), 0.1 + 0.2);
  EXPECT_THAT(ReadTextproto(path + "x", &read),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("a.textprotox")));
}

TEST(TextprotoTest, SetFieldReachesInnerRepeatedAndStringFields) {
  TextprotoTestMessage message;
  message.mutable_inner()->add_counts(9);
  ASSERT_THAT(SetField("inner.rate=0.25", &message), IsOk());
  ASSERT_THAT(SetField("inner.counts=[1, 2]", &message), IsOk());
  ASSERT_THAT(SetField("inner.name=a=b c", &message), IsOk());
  EXPECT_EQ(message.inner().rate(), 0.25);
  EXPECT_THAT(message.inner().counts(), ElementsAre(1, 2));
  EXPECT_EQ(message.inner().name(), "a=b c");
}

TEST(TextprotoTest, SetFieldSaysWhichPartOfThePathIsWrong) {
  TextprotoTestMessage message;
  EXPECT_THAT(SetField("inner.rte=1", &message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(HasSubstr("'rte'"), HasSubstr("rate"))));
  EXPECT_THAT(SetField("rate.x=1", &message),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'rate'")));
  EXPECT_THAT(SetField("rate=fast", &message),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("fast")));
  EXPECT_THAT(SetField("rate", &message),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("path.to.field=value")));
}

}  // namespace
}  // namespace op3d
