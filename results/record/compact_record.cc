#include "results/record/compact_record.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/textproto.h"

namespace op3d::results {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();
// The largest width of a block that contains folded ones.
constexpr size_t kLongBlock = 160;

// 5 digits distinguish shares of up to 50,000 videos.
double Round(double value) { return std::strtod(absl::StrFormat("%.5g", value).c_str(), nullptr); }

double MeanOfTops(const CurvePoint& point) {
  return (point.top1() + point.top3() + point.top5()) / 3;
}

// If the search has another measure than the published one, a single 0 means 0.
template <typename Says>
bool AllPoints(const SearchOutcome& search, Says says) {
  return absl::c_all_of(
      search.edges(), [&](const EdgeOutcome& edge) { return absl::c_all_of(edge.curve(), says); });
}

// Leaves out fields that follow from the other figures of a rounded point and its position.
void Shorten(SearchOutcome* search) {
  const bool published = AllPoints(*search, [](const CurvePoint& point) {
    return std::fabs(point.performance() - MeanOfTops(point)) < 2e-5;
  });
  for (EdgeOutcome& edge : *search->mutable_edges()) {
    for (int i = 0; i < edge.curve_size(); ++i) {
      CurvePoint& point = *edge.mutable_curve(i);
      point.clear_train_seconds();
      point.clear_evaluation_seconds();
      if (published) point.clear_performance();
      if (point.epoch() == i) point.clear_epoch();
    }
  }
}

void Lengthen(SearchOutcome* search) {
  const bool published =
      AllPoints(*search, [](const CurvePoint& point) { return point.performance() == 0; });
  for (EdgeOutcome& edge : *search->mutable_edges()) {
    for (int i = 0; i < edge.curve_size(); ++i) {
      CurvePoint& point = *edge.mutable_curve(i);
      if (published) point.set_performance(Round(MeanOfTops(point)));
      if (point.epoch() == 0) point.set_epoch(i);
    }
  }
}

// Whether the message holds choices, not measurements.
bool IsSetting(const Message& message) {
  return message.GetTypeName() == StateSettings::descriptor()->full_name() ||
         message.GetTypeName() == TransitionGraph::descriptor()->full_name() ||
         message.GetTypeName() == StoppingRule::descriptor()->full_name();
}

// Rounds all doubles in `message` except those of settings.
void RoundFigures(Message* message) {
  if (IsSetting(*message)) return;
  const Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int size = field->is_repeated() ? reflection.FieldSize(*message, field) : 1;
    for (int i = 0; i < size; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        RoundFigures(field->is_repeated() ? reflection.MutableRepeatedMessage(message, field, i)
                                          : reflection.MutableMessage(message, field));
      } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE) {
        continue;
      } else if (field->is_repeated()) {
        const double value = reflection.GetRepeatedDouble(*message, field, i);
        reflection.SetRepeatedDouble(message, field, i, Round(value));
      } else {
        reflection.SetDouble(message, field, Round(reflection.GetDouble(*message, field)));
      }
    }
  }
}

// The name before the colon of "losses: 1.5"; "" for other lines.
absl::string_view ScalarName(absl::string_view line) {
  const absl::string_view name = line.substr(0, line.find(' '));
  return absl::EndsWith(name, ":") ? name.substr(0, name.size() - 1) : "";
}

// Joins consecutive lines "x: 1", "x: 2" to one "x: [1, 2]".
std::vector<std::string> JoinLists(const std::vector<std::string>& lines) {
  std::vector<std::string> joined;
  for (size_t i = 0; i < lines.size();) {
    const absl::string_view name = ScalarName(lines[i]);
    std::vector<std::string> values;
    size_t end = i;
    while (!name.empty() && end < lines.size() && ScalarName(lines[end]) == name) {
      values.push_back(lines[end++].substr(name.size() + 2));
    }
    if (values.size() < 2) {
      joined.push_back(lines[i++]);
    } else {
      joined.push_back(absl::StrCat(name, ": [", absl::StrJoin(values, ", "), "]"));
      i = end;
    }
  }
  return joined;
}

// Folds "x {", lines without blocks, "}" to one line of at most `width` characters.  A
// string's line ends with a quote, so no text of the record looks like a brace.
std::vector<std::string> FoldBlocks(const std::vector<std::string>& lines, size_t width) {
  std::vector<std::string> folded;
  for (size_t i = 0; i < lines.size();) {
    size_t end = i;
    if (absl::EndsWith(lines[i], "{")) {
      do ++end;
      while (lines[end] != "}" && !absl::EndsWith(lines[end], "{"));
    }
    if (end > i && lines[end] == "}") {
      const std::string block = absl::StrJoin(&lines[i], &lines[end] + 1, " ");
      if (block.size() <= width) {
        folded.push_back(block);
        i = end + 1;
        continue;
      }
    }
    folded.push_back(lines[i++]);
  }
  return folded;
}

// The search's graph if the settings contain the same one; otherwise null.
const TransitionGraph* GraphOfSettings(const RunRecord& record, const TransitionGraph& graph) {
  for (const TransitionGraph& pool : record.settings().search().pools()) {
    if (pool.pool() == graph.pool()) return &pool;
  }
  return nullptr;
}

}  // namespace

RunRecord CompactRecord(RunRecord record) {
  record.set_compact(true);
  for (SearchOutcome& search : *record.mutable_searches()) {
    RoundFigures(&search);
    Shorten(&search);
    const TransitionGraph* graph = GraphOfSettings(record, search.graph());
    if (graph != nullptr && MessageDifferencer::Equals(*graph, search.graph())) {
      const std::string pool = search.graph().pool();
      search.mutable_graph()->Clear();
      search.mutable_graph()->set_pool(pool);
    }
  }
  RoundFigures(record.mutable_plan());
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    RoundFigures(recipe.mutable_plan());
    for (double& loss : *recipe.mutable_losses()) loss = Round(loss);
    if (recipe.role() != RecipeResult::FIXED) continue;
    recipe.clear_losses();
    recipe.mutable_test()->clear_classes();
  }
  return record;
}

RunRecord ExpandRecord(RunRecord record) {
  for (SearchOutcome& search : *record.mutable_searches()) {
    Lengthen(&search);
    const TransitionGraph* graph = GraphOfSettings(record, search.graph());
    if (search.graph().states().empty() && graph != nullptr) *search.mutable_graph() = *graph;
  }
  return record;
}

std::string PrintDense(const RunRecord& record) {
  std::vector<std::string> lines = absl::StrSplit(PrintTextproto(record), '\n', absl::SkipEmpty());
  for (std::string& line : lines) absl::StripLeadingAsciiWhitespace(&line);
  lines = FoldBlocks(JoinLists(lines), kNoLimit);
  lines = FoldBlocks(lines, kLongBlock);
  std::string text;
  size_t depth = 0;
  for (const std::string& line : lines) {
    if (line == "}") --depth;
    absl::StrAppend(&text, std::string(2 * depth, ' '), line, "\n");
    if (absl::EndsWith(line, "{")) ++depth;
  }
  return text;
}

}  // namespace op3d::results
