#include "data/annotation/text/json_items.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/text/list_text.h"

namespace op3d::data {
namespace {

using Json = nlohmann::json;

// Reads characters and counts the lines that were read.
class LineCountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  // Stores the position in `place`.
  struct Place {
    const char* at;
    int64_t line;
  };
  LineCountingIterator(const char* at, Place* place) : at_(at), place_(place) {}
  reference operator*() const { return *at_; }
  LineCountingIterator& operator++() {
    if (*at_ == '\n') ++place_->line;
    place_->at = ++at_;
    return *this;
  }
  LineCountingIterator operator++(int) {
    LineCountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LineCountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const LineCountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  Place* place_;
};

// "[json.exception.parse_error.101] parse error at line 2, column 7: syntax error ...; last read:
// ..." without the prefix, and without the last read text, which may be long.
std::string Sentence(absl::string_view what) {
  what = what.substr(0, what.find("; last read"));
  const size_t colon = what.find(": ");
  return std::string(colon == absl::string_view::npos ? what : what.substr(colon + 2));
}

// The line of `text` that contains `at`, or a part of it.
std::string LineAround(absl::string_view text, size_t at) {
  constexpr size_t kBefore = 80, kAfter = 40;
  absl::string_view before = text.substr(0, at);
  before.remove_prefix(before.rfind('\n') + 1);  // npos + 1 = 0
  const absl::string_view after = text.substr(at, text.find('\n', at) - at);
  const bool cut = before.size() > kBefore;
  return absl::StrCat(cut ? "..." : "", cut ? before.substr(before.size() - kBefore) : before,
                      absl::StripTrailingAsciiWhitespace(after.substr(0, kAfter)));
}

}  // namespace

absl::Status ForEachJsonItem(absl::string_view text, absl::string_view source, int depth,
                             absl::FunctionRef<absl::Status(const JsonItem&)> use) {
  text = WithoutByteOrderMark(text);
  LineCountingIterator::Place place = {text.data(), 1};
  int64_t item_line = 1;
  std::vector<std::string> keys(depth);
  absl::Status status;
  const auto on_event = [&](int at, Json::parse_event_t event, Json& value) {
    if (!status.ok()) return false;
    switch (event) {
      case Json::parse_event_t::key:
        if (at <= depth) keys[at - 1] = value.get<std::string>();
        return true;
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        if (at < depth) keys[at].clear();
        if (at == depth) item_line = place.line;
        return true;
      case Json::parse_event_t::value:
        if (at == depth) status = use({keys, value, place.line});
        return at > depth;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        if (at == depth) status = use({keys, value, item_line});
        return at > depth;
    }
    return true;
  };
  try {
    const Json rest =
        Json::parse(LineCountingIterator(text.data(), &place),
                    LineCountingIterator(text.data() + text.size(), &place), on_event);
  } catch (const Json::exception& error) {
    if (status.ok()) {
      status = absl::InvalidArgumentError(
          absl::StrCat(source, ":", place.line, ": not JSON: ", Sentence(error.what()), " in '",
                       LineAround(text, place.at - text.data()), "'"));
    }
  }
  return status;
}

absl::Status JsonItemError(absl::string_view source, const JsonItem& item, absl::string_view what,
                           absl::string_view expected) {
  const std::string shown = item.value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return ListError(source, {item.line, shown}, what, expected);
}

std::string JsonText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_integer() ? value.dump() : "";
}

}  // namespace op3d::data
