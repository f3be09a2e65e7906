// The parts of a report that show how a run came about: notes, data, time, machine, settings.
#ifndef OP3D_RESULTS_REPORT_REPORT_RUN_H_
#define OP3D_RESULTS_REPORT_REPORT_RUN_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// HTML to stand in <main>; "" where the record has nothing to show.
std::string NotesSection(const RunRecord& record);
// What the copy of the dataset held beside what its lists promise.
std::string DatasetSection(const RunRecord& record);
// A stacked bar, and the same in figures.
std::string TimeSection(const RunRecord& record);
std::string EnvironmentSection(const RunRecord& record);
// The resolved settings as textproto, folded away.
std::string SettingsSection(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_RUN_H_
