#include "data/annotation/group_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] = "'path ... group', the path first and the group last";

// Removes the last word from `rest`; empty if it is the only one.
absl::string_view TakeWord(absl::string_view* rest) {
  const size_t separator = rest->find_last_of(" \t,");
  if (separator == absl::string_view::npos) return "";
  const absl::string_view word = rest->substr(separator + 1);
  *rest = absl::StripAsciiWhitespace(rest->substr(0, separator));
  return word;
}

// `path` without the ending of its last part.
absl::string_view Stem(absl::string_view path) {
  const absl::string_view name = FileName(path);
  path.remove_suffix(name.size() - WithoutEnding(name).size());
  return path;
}

}  // namespace

absl::StatusOr<GroupList> GroupList::Parse(absl::string_view text, absl::string_view source) {
  GroupList list;
  for (const ListLine& line : ListLines(text)) {
    absl::string_view path = line.text;
    const absl::string_view group = TakeWord(&path);
    if (group.empty() || path.empty()) return ListError(source, line, "no group", kExpected);
    // The path itself, then without a following label, then both without their folders.
    absl::string_view names[] = {path, path, FileName(path), ""};
    int64_t label;
    if (!absl::SimpleAtoi(TakeWord(&names[1]), &label)) names[1] = "";
    names[3] = FileName(names[1]);
    for (int distance = 0; distance < 4; ++distance) {
      if (names[distance].empty()) continue;
      const auto [place, fresh] = list.groups_.try_emplace(std::string(Stem(names[distance])),
                                                           Entry{distance, std::string(group)});
      Entry& entry = place->second;
      if (fresh || entry.group == group) {
        entry.distance = std::min(entry.distance, distance);
      } else if (distance < entry.distance) {
        entry = {distance, std::string(group)};
      } else if (distance > 0 && distance == entry.distance) {
        entry.group.clear();
      } else if (distance == 0) {
        return ListError(
            source, line,
            absl::StrCat("the video '", path, "' of another group, '", entry.group, "', before"),
            "one group a video");
      }
    }
  }
  if (list.groups_.empty()) return EmptyListError(source, kExpected);
  return list;
}

const std::string* GroupList::Find(absl::string_view path_or_name) const {
  const auto found = groups_.find(Stem(path_or_name));
  return found == groups_.end() || found->second.group.empty() ? nullptr : &found->second.group;
}

}  // namespace op3d::data
