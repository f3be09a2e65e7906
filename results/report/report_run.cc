#include "results/report/report_run.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/progress.h"
#include "op3d/base/textproto.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/report/html_table.h"

namespace op3d::results {
namespace {

struct TimePart {
  const char* name;
  double seconds;
  const char* colour;
};

std::vector<TimePart> TimeParts(const TimeSplit& time) {
  return {{"decode", time.decode(), kPurple}, {"transform", time.transform(), kOrange},
          {"forward", time.forward(), kSky},  {"backward", time.backward(), kBlue},
          {"update", time.step(), kGreen},    {"fit and plan", time.fit(), kVermilion}};
}

std::string ListItems(const google::protobuf::RepeatedPtrField<std::string>& items) {
  std::string html = "<ul>\n";
  for (const std::string& item : items) {
    absl::StrAppend(&html, "<li>", EscapeXml(item), "</li>\n");
  }
  return absl::StrCat(html, "</ul>\n");
}

std::string OfficialCount(const DatasetReport::List& list) {
  return list.official() > 0 ? FormatCount(list.official()) : "";
}

}  // namespace

std::string NotesSection(const RunRecord& record) {
  if (record.notes().empty()) return "";
  return absl::StrCat("<section>\n<h2>Notes</h2>\n", ListItems(record.notes()), "</section>\n");
}

std::string DatasetSection(const RunRecord& record) {
  if (record.dataset().lists().empty()) return "";
  HtmlTable table({"list", "official", "listed", "used", "missing", "broken", "checksum"});
  google::protobuf::RepeatedPtrField<std::string> examples;
  for (const DatasetReport::List& list : record.dataset().lists()) {
    const std::string name = list.videos_file().empty()
                                 ? list.name()
                                 : absl::StrCat(list.name(), " (", list.videos_file(), ")");
    table.AddRow({WordsCell(name), FigureCell(OfficialCount(list)),
                  FigureCell(FormatCount(list.listed())), FigureCell(FormatCount(list.used())),
                  FigureCell(FormatCount(list.missing())), FigureCell(FormatCount(list.broken())),
                  FigureCell(absl::StrFormat("%08x", list.crc32()))});
    for (const std::string& example : list.examples()) {
      *examples.Add() = absl::StrCat(list.name(), ": ", example);
    }
  }
  std::string html =
      absl::StrCat("<section>\n<h2>Dataset</h2>\n<p>", FormatCount(record.dataset().classes_size()),
                   " classes; videos of each list:</p>\n", table.ToHtml());
  if (!examples.empty()) {
    absl::StrAppend(&html, "<p>The first missing or broken ones:</p>\n", ListItems(examples));
  }
  return absl::StrCat(html, "</section>\n");
}

std::string TimeSection(const RunRecord& record) {
  if (!record.has_time()) return "";
  const std::vector<TimePart> parts = TimeParts(record.time());
  double sum = 0;
  for (const TimePart& part : parts) sum += part.seconds;
  std::string html = "<section>\n<h2>Where the time went</h2>\n";
  if (sum > 0) {
    std::string bar, legend;
    for (const TimePart& part : parts) {
      const double share = part.seconds / sum;
      absl::StrAppend(&bar, "<span style=\"width:", absl::StrFormat("%.2f", 100 * share),
                      "%;background:", part.colour, "\"></span>");
      absl::StrAppend(&legend, "<li><span class=\"swatch\" style=\"background:", part.colour,
                      "\"></span>", part.name, " <b>", FormatPercent(share, 1), " %</b> (",
                      FormatSeconds(part.seconds), ")</li>\n");
    }
    absl::StrAppend(&html, "<div class=\"stack\">", bar, "</div>\n<ul class=\"legend\">\n", legend,
                    "</ul>\n");
  }
  return absl::StrCat(html, "<p class=\"note\">Summed over threads. The run itself took ",
                      FormatSeconds(record.time().wall()), "; it held at most ",
                      FormatCount(static_cast<int64_t>(record.time().peak_memory_mib())),
                      " MiB of memory.</p>\n</section>\n");
}

std::string EnvironmentSection(const RunRecord& record) {
  if (!record.has_environment()) return "";
  const Environment& environment = record.environment();
  HtmlTable table({"", ""});
  table.AddRow({WordsCell("started"), WordsCell(environment.started())});
  table.AddRow({WordsCell("finished"), WordsCell(environment.finished())});
  if (environment.resumed() > 0) {
    table.AddRow({WordsCell("resumed"), WordsCell(absl::StrCat(environment.resumed(), " times"))});
  }
  table.AddRow({WordsCell("commit"), WordsCell(environment.commit())});
  table.AddRow({WordsCell("host"), WordsCell(environment.host())});
  const ProcessorModel& processor = environment.processor();
  std::string model = environment.cpu();
  if (environment.has_processor()) {
    absl::StrAppend(&model, " (", processor.vendor(), ", family ", processor.family(), ", model ",
                    processor.model(), ", stepping ", processor.stepping(), ")");
  }
  table.AddRow({WordsCell("processor"),
                WordsCell(absl::StrCat(model, ", ", environment.cores(), " cores"))});
  if (!environment.arithmetic().empty()) {
    table.AddRow({WordsCell("arithmetic"), WordsCell(environment.arithmetic())});
  }
  table.AddRow({WordsCell("device, threads"),
                WordsCell(absl::StrCat(environment.device(), ", ", environment.threads()))});
  table.AddRow({WordsCell("libraries"), WordsCell(absl::StrJoin(environment.libraries(), ", "))});
  return absl::StrCat("<section>\n<h2>Environment</h2>\n", table.ToHtml(), "</section>\n");
}

std::string SettingsSection(const RunRecord& record) {
  HtmlTable derived({"chosen from the data", "value", "why"});
  for (const BenchmarkSettings::Derived& line : record.settings().derived()) {
    derived.AddRow({WordsCell(line.field()), WordsCell(line.value()), WordsCell(line.reason())});
  }
  return absl::StrCat(
      "<section>\n<h2>Settings</h2>\n<p>Network ", EscapeXml(record.settings().network().name()),
      ", seed ", record.settings().seed(), ".</p>\n", derived.ToHtml(),
      "<details><summary>All settings, as resolved</summary>\n<pre>",
      EscapeXml(PrintTextproto(record.settings())), "</pre></details>\n</section>\n");
}

}  // namespace op3d::results
