#include "op3d/base/textproto.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/testing/testing.pb.h"

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

TEST(TextprotoTest, SetFieldTakesAnEnumAsAFlagDoes) {
  using Message = TextprotoTestMessage;
  TextprotoTestMessage message;
  const std::pair<const char*, Message::Method> words[] = {{"FAST_METHOD", Message::FAST_METHOD},
                                                           {"fast", Message::FAST_METHOD},
                                                           {"Fast_method", Message::FAST_METHOD},
                                                           {"of_old", Message::METHOD_OF_OLD},
                                                           {"slow", Message::SLOW},
                                                           {"3", Message::SLOW}};
  for (const auto& [word, value] : words) {
    ASSERT_THAT(SetField(absl::StrCat("method=", word), &message), IsOk());
    EXPECT_EQ(message.method(), value) << word;
  }
  EXPECT_THAT(SetField("method=quick", &message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("'quick' is none of: FAST_METHOD, METHOD_OF_OLD, SLOW")));
}

TEST(TextprotoTest, SetFieldReachesElementsOfLists) {
  TextprotoTestMessage message;
  for (const char* name : {"a", "b.c=d", "1"}) message.add_items()->set_name(name);
  message.add_items()->mutable_state()->set_name("S1");
  ASSERT_THAT(SetField("items[0].rate=1", &message), IsOk());
  ASSERT_THAT(SetField("items[b.c=d].inner.rate=2", &message), IsOk());
  ASSERT_THAT(SetField("items[1].rate=3", &message), IsOk());  // names come before numbers
  ASSERT_THAT(SetField("items[S1].rate=4", &message), IsOk());
  EXPECT_EQ(message.items(0).rate(), 1);
  EXPECT_EQ(message.items(1).inner().rate(), 2);
  EXPECT_EQ(message.items(2).rate(), 3);
  EXPECT_EQ(message.items(3).rate(), 4);
  ASSERT_THAT(SetField("items[a]={name: 'z' rate: 5}", &message), IsOk());
  EXPECT_EQ(message.items_size(), 4);
  EXPECT_EQ(message.items(0).name(), "z");
  ASSERT_THAT(SetField("counts=7", &message), IsOk());
  ASSERT_THAT(SetField("counts=[1, 2, 3]", &message), IsOk());
  ASSERT_THAT(SetField("counts[1]=9", &message), IsOk());
  EXPECT_THAT(message.counts(), ElementsAre(1, 9, 3));
  ASSERT_THAT(SetField("words=wide", &message), IsOk());
  EXPECT_THAT(message.words(), ElementsAre("wide"));
  ASSERT_THAT(SetField("words=['x', 'y']", &message), IsOk());
  ASSERT_THAT(SetField("words[1]=[z]", &message), IsOk());
  EXPECT_THAT(message.words(), ElementsAre("x", "[z]"));
}

TEST(TextprotoTest, SetFieldGoesThroughAOneof) {
  TextprotoTestMessage message;
  TextprotoTestMessage* item = message.add_items();
  item->set_plain(true);
  EXPECT_THAT(SetField("items[0].nothing=1", &message),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no field 'nothing'")));
  item->mutable_fancy()->mutable_inner()->set_rate(1);
  // Its own field comes first.
  ASSERT_THAT(SetField("items[0].inner.rate=2", &message), IsOk());
  EXPECT_EQ(item->inner().rate(), 2);
  EXPECT_EQ(item->fancy().inner().rate(), 1);
}

TEST(TextprotoTest, SetFieldSaysWhichElementsThereAre) {
  TextprotoTestMessage message;
  const auto error = [&](const char* assignment) {
    return std::string(SetField(assignment, &message).message());
  };
  EXPECT_THAT(error("items[0].rate=1"), HasSubstr("the list is empty"));
  for (const char* name : {"planned", "twice", "twice"}) message.add_items()->set_name(name);
  EXPECT_THAT(error("items[3].rate=1"), HasSubstr("no element of 'items' is called '3'; it has "
                                                  "planned, twice, twice, or by number 0 to 2"));
  EXPECT_THAT(error("items[-1].rate=1"), HasSubstr("called '-1'"));
  EXPECT_THAT(error("items[twice].rate=1"), HasSubstr("several elements of 'items' are called"));
  EXPECT_THAT(error("items.rate=1"), HasSubstr("'items' is a list: name an element, as "
                                               "items[planned]; it has planned, twice, twice"));
  EXPECT_THAT(error("rate[0]=1"), HasSubstr("'rate' is not a list"));
  EXPECT_THAT(error("inner[0].rate=1"), HasSubstr("'inner' holds no list"));
  for (const char* path : {"items[]=1", "items[0=1", "[0]=1", "items[0]x=1", "items[0].=1"}) {
    EXPECT_THAT(SetField(path, &message),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")))
        << path;
  }
  // Similar names, anywhere.
  EXPECT_THAT(error("rat=1"), HasSubstr("has no field 'rat'; is rate or "));
  EXPECT_THAT(error("items[0].coutns=1"), HasSubstr("; is counts or "));
  EXPECT_THAT(error("zzzzzz=1"), testing::Not(HasSubstr("meant")));
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

// Writes the files into a new folder and merges the first one over `message`.
absl::Status Overlay(const std::string& folder,
                     const std::vector<std::pair<std::string, std::string>>& files,
                     TextprotoTestMessage* message) {
  for (const auto& [name, text] : files) {
    EXPECT_THAT(WriteFileAtomically(JoinPath(folder, name), text), IsOk());
  }
  return OverlayTextproto(JoinPath(folder, files[0].first), folder, message);
}

TEST(TextprotoTest, AFileReplacesWhatItNames) {
  TextprotoTestMessage message;
  ASSERT_THAT(ParseTextproto("name: 'old' rate: 1 counts: [1, 2] plain: true method: SLOW "
                             "inner { name: 'in' rate: 2 counts: 3 items { name: 'a' } }",
                             "text", &message),
              IsOk());
  ASSERT_THAT(Overlay(TestFolder("overlay"),
                      {{"a.textproto", "rate: 0 method: METHOD_UNSPECIFIED counts: 7 "
                                       "inner { name: '' items { rate: 4 } } fancy { rate: 5 }"}},
                      &message),
              IsOk());
  EXPECT_EQ(message.name(), "old");
  EXPECT_EQ(message.rate(), 0);  // named, so that it counts
  EXPECT_EQ(message.method(), TextprotoTestMessage::METHOD_UNSPECIFIED);
  EXPECT_THAT(message.counts(), ElementsAre(7));  // a list is replaced, not grown
  EXPECT_EQ(message.inner().name(), "");
  EXPECT_EQ(message.inner().rate(), 2);
  EXPECT_THAT(message.inner().counts(), ElementsAre(3));
  ASSERT_EQ(message.inner().items_size(), 1);
  EXPECT_EQ(message.inner().items(0).name(), "");
  EXPECT_EQ(message.fancy().rate(), 5);  // the other choice
}

TEST(TextprotoTest, AFileComesAfterItsBases) {
  TextprotoTestMessage message;
  message.set_rate(9);
  const std::string folder = TestFolder("bases");
  ASSERT_THAT(Overlay(folder,
                      {{"mine.textproto", "base: 'middle' name: 'mine'"},
                       {"middle.textproto", "base: './far.textproto' inner { rate: 0 } words: 'm'"},
                       {"far.textproto", "name: 'far' inner { rate: 3 name: 'f' } words: ['x', 'y']"}},
                      &message),
              IsOk());
  EXPECT_EQ(message.name(), "mine");
  EXPECT_EQ(message.rate(), 9);
  EXPECT_EQ(message.inner().rate(), 0);
  EXPECT_EQ(message.inner().name(), "f");
  EXPECT_THAT(message.words(), ElementsAre("m"));
  EXPECT_EQ(message.base(), "");
}

TEST(TextprotoTest, ABaseThatCannotBeReadIsNamed) {
  using testing::AllOf;
  TextprotoTestMessage message;
  const std::string folder = TestFolder("bad_bases");
  EXPECT_THAT(Overlay(folder, {{"a.textproto", "base: 'minature'"}, {"miniature.textproto", ""}},
                      &message),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("a.textproto: base: there is no base 'minature'; there are a, "
                                       "miniature"),
                             HasSubstr("ending .textproto"))));
  EXPECT_THAT(Overlay(folder, {{"a.textproto", "base: 'gone.textproto'"}}, &message),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no file " + folder)));
  EXPECT_THAT(Overlay(folder,
                      {{"a.textproto", "base: 'b'"},
                       {"b.textproto", "base: 'c'"},
                       {"c.textproto", "base: '../bad_bases/b.textproto'"}},
                      &message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a.textproto: base: a circle, "),
                             HasSubstr("take the base out of one of them"))));
  EXPECT_THAT(Overlay(folder, {{"a.textproto", "base: 'b'"}, {"b.textproto", "\nrat: 1"}}, &message),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("b.textproto:2:")));
  EXPECT_EQ(PrintTextproto(message), "");
}

}  // namespace
}  // namespace op3d
