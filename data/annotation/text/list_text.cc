#include "data/annotation/text/list_text.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace op3d::data {
namespace {

constexpr size_t kShownLine = 160;

constexpr absl::string_view kVideoEndings[] = {"mp4", "mkv", "webm", "avi", "mov",  "m4v",
                                               "3gp", "flv", "ts",   "mpg", "lmdb", "packed"};

bool IsNumber(absl::string_view text) {
  int64_t number;
  return absl::SimpleAtoi(text, &number);
}

}  // namespace

absl::string_view WithoutByteOrderMark(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  return text;
}

std::vector<ListLine> ListLines(absl::string_view text) {
  std::vector<ListLine> lines;
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(WithoutByteOrderMark(text), '\n')) {
    ++number;
    const absl::string_view inner = absl::StripAsciiWhitespace(line);
    if (!inner.empty()) lines.push_back({number, inner});
  }
  return lines;
}

absl::Status ListError(absl::string_view source, const ListLine& line, absl::string_view what,
                       absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat(source, ":", line.number, ": ", what, " in '", line.text.substr(0, kShownLine),
                   line.text.size() > kShownLine ? "..." : "", "'; expected ", expected));
}

absl::Status EmptyListError(absl::string_view source, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat(source, ": no row in it; expected ", expected, ", a line a video"));
}

absl::Status AnnotateWithOwner(const absl::Status& error, absl::string_view text,
                               absl::string_view dataset) {
  const std::string owner = RecogniseList(text);
  if (error.ok() || owner.empty() || absl::StrContains(owner, dataset)) return error;
  return absl::Status(error.code(), absl::StrCat(error.message(), "; it looks like ", owner));
}

std::string RecogniseList(absl::string_view text) {
  text = WithoutByteOrderMark(text);
  const absl::string_view line = absl::StripAsciiWhitespace(text.substr(0, text.find('\n')));
  const std::vector<absl::string_view> commas = absl::StrSplit(line, ',');
  const std::vector<absl::string_view> semicolons = absl::StrSplit(line, ';');
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (absl::StartsWith(line, "{") || absl::StartsWith(line, "[")) {
    return "a JSON file, such as Something-Something V2's or ActivityNet's";
  }
  if (semicolons.size() == 2 && IsNumber(semicolons[0])) {
    return "a list of Something-Something V1 (id;label)";
  }
  if (absl::StartsWith(line, "video,numFrame,")) return "ActivityNet's list of video facts";
  if (absl::StrContains(line, "youtube_id")) return "a list of Kinetics";
  if (words.size() == 2 && absl::EndsWith(words[0], ".avi")) {
    return absl::StrContains(words[0], '/') ? "a list of UCF101 (Class/video.avi number)"
                                            : "a list of HMDB51 (video.avi flag)";
  }
  if (words.size() == 1 && absl::EndsWith(line, ".avi")) {
    return "a test list of UCF101 (Class/video.avi)";
  }
  if (words.size() == 2 && IsNumber(words[0])) return "the class list of UCF101 (number Class)";
  if (words.size() >= 2 && IsNumber(words.back())) {
    return words.size() >= 3 && IsNumber(words[words.size() - 2])
               ? "a plain list (path frames label)"
               : "a plain list (path label)";
  }
  if (commas.size() >= 5 && IsNumber(commas[2]) && IsNumber(commas[3])) {
    return "a list of Kinetics without its header row";
  }
  return "";
}

absl::Status UniqueNames::Add(absl::string_view name, absl::string_view source,
                              const ListLine& line, absl::string_view expected) {
  const auto [place, fresh] = lines_.emplace(name, line.number);
  if (fresh) return absl::OkStatus();
  return ListError(source, line, absl::StrCat("the video of line ", place->second, " once more"),
                   expected);
}

absl::string_view FileName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

absl::string_view WithoutEnding(absl::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == absl::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

absl::string_view WithoutVideoEndings(absl::string_view name) {
  for (;;) {
    const size_t dot = name.rfind('.');
    if (dot == absl::string_view::npos || dot == 0) return name;
    const absl::string_view ending = name.substr(dot + 1);
    bool known = false;
    for (const absl::string_view video : kVideoEndings) {
      known = known || absl::EqualsIgnoreCase(ending, video);
    }
    if (!known) return name;
    name = name.substr(0, dot);
  }
}

}  // namespace op3d::data
