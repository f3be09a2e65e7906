// A record small enough to be committed: below 100 kB with two searches and a dozen rows.
//
//   OP3D_RETURN_IF_ERROR(WriteRecord(folder, CompactRecord(record)));
#ifndef OP3D_RESULTS_RECORD_COMPACT_RECORD_H_
#define OP3D_RESULTS_RECORD_COMPACT_RECORD_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// Rounds every measured figure of searches (curves, fits, values) and the losses to 5 significant
// digits.  Leaves out what can be put back (a performance that is the mean of the three shares, the
// epochs of points, a search's graph that stands in the settings), the seconds of single epochs, and
// of FIXED rows the losses and the classes.  Settings, counts, checksums and shares of tests keep
// every bit.  Idempotent: a run made again is equal to a committed one when CompactRecord() of both
// is.
RunRecord CompactRecord(RunRecord record);

// Puts back what can be; a record that lacks nothing stays as it is.
RunRecord ExpandRecord(RunRecord record);

// As text that ReadRecord() reads: like PrintTextproto(), but messages that hold no other message,
// and lists of numbers or words, stand on one line.
std::string PrintDense(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_COMPACT_RECORD_H_
