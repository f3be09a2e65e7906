// The parts of a report about the run itself: notes, data, time, machine, settings.
#ifndef OP3D_RESULTS_REPORT_REPORT_RUN_H_
#define OP3D_RESULTS_REPORT_REPORT_RUN_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// HTML for <main>; "" if the record has nothing to show.
std::string NotesSection(const RunRecord& record);
// What the copy of the dataset contained, compared with its lists.
std::string DatasetSection(const RunRecord& record);
// A stacked bar, and the same in figures.
std::string TimeSection(const RunRecord& record);
std::string EnvironmentSection(const RunRecord& record);
// The resolved settings as textproto, folded.
std::string SettingsSection(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_RUN_H_
