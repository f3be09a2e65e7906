#include "results/testing/markup_checker.h"

#include <cctype>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace op3d::results {
namespace {

bool IsVoid(const std::string& name) {
  static const auto* const names =
      new std::set<std::string>{"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"};
  return names->count(name) > 0;
}

std::string TakeName(absl::string_view* text) {
  size_t length = 0;
  while (length < text->size() && (std::isalnum(static_cast<unsigned char>((*text)[length])) ||
                                   (*text)[length] == '-' || (*text)[length] == ':')) {
    ++length;
  }
  const std::string name(text->substr(0, length));
  text->remove_prefix(length);
  return name;
}

void SkipSpace(absl::string_view* text) {
  while (!text->empty() && std::isspace(static_cast<unsigned char>(text->front()))) {
    text->remove_prefix(1);
  }
}

// Parses ` a="b" c` and stops at ">" or "/>".
std::string TakeAttributes(absl::string_view* text) {
  std::set<std::string> seen;
  for (;;) {
    SkipSpace(text);
    if (text->empty() || text->front() == '>' || text->front() == '/') return "";
    const std::string name = TakeName(text);
    if (name.empty()) return "an attribute without a name";
    if (!seen.insert(name).second) return absl::StrCat("attribute ", name, " twice");
    if (text->empty() || text->front() != '=') continue;
    text->remove_prefix(1);
    if (text->empty() || text->front() != '"') return absl::StrCat(name, " is not quoted");
    const size_t end = text->find('"', 1);
    if (end == absl::string_view::npos) return absl::StrCat(name, " has no closing quote");
    if (text->substr(1, end - 1).find('<') != absl::string_view::npos) {
      return absl::StrCat(name, " holds a bare <");
    }
    text->remove_prefix(end + 1);
  }
}

// Parses an element's head after its "<".
std::string TakeElement(absl::string_view* text, std::vector<std::string>* open) {
  const bool closing = !text->empty() && text->front() == '/';
  if (closing) text->remove_prefix(1);
  const std::string name = TakeName(text);
  if (name.empty()) return "a bare <";
  if (closing) {
    if (open->empty() || open->back() != name) {
      return absl::StrCat("</", name, "> closes <", open->empty() ? "nothing" : open->back(), ">");
    }
    open->pop_back();
  } else if (std::string problem = TakeAttributes(text); !problem.empty()) {
    return absl::StrCat("<", name, ">: ", problem);
  }
  const bool empty_element = !text->empty() && text->front() == '/';
  if (empty_element) text->remove_prefix(1);
  if (text->empty() || text->front() != '>') return absl::StrCat("<", name, " is not closed by >");
  text->remove_prefix(1);
  if (!closing && !empty_element && !IsVoid(name)) open->push_back(name);
  if (!closing && name == "style") {
    const size_t end = text->find("</style>");
    text->remove_prefix(end == absl::string_view::npos ? text->size() : end);
  }
  return "";
}

}  // namespace

std::string MarkupProblem(absl::string_view markup) {
  absl::string_view text = markup;
  std::vector<std::string> open;
  while (!text.empty()) {
    const size_t next = text.find('<');
    if (next == absl::string_view::npos) break;
    text.remove_prefix(next);
    const std::string here(text.substr(0, 60));
    if (absl::StartsWith(text, "<?") || absl::StartsWith(text, "<!")) {
      const size_t end = text.find('>');
      text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
      continue;
    }
    text.remove_prefix(1);
    const std::string problem = TakeElement(&text, &open);
    if (!problem.empty()) return absl::StrCat(problem, " at '", here, "'");
  }
  return open.empty() ? "" : absl::StrCat("<", open.back(), "> is never closed");
}

}  // namespace op3d::results
