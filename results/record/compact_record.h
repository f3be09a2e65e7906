// A record small enough to be committed: below 100 kB with two searches and a dozen rows.
//
//   OP3D_RETURN_IF_ERROR(WriteRecord(folder, CompactRecord(record)));
#ifndef OP3D_RESULTS_RECORD_COMPACT_RECORD_H_
#define OP3D_RESULTS_RECORD_COMPACT_RECORD_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// Rounds every measured figure of searches (curves, fits, values) and the losses to 5 significant
// digits.  Leaves out what can be restored (a performance that is the mean of the three shares, the
// epochs of points, a search's graph that is in the settings), the seconds of single epochs, and
// for FIXED rows the losses and the classes.  Settings, counts, checksums and shares of tests keep
// every bit.  Idempotent: a repeated run equals a committed one if CompactRecord() of both is
// equal.
RunRecord CompactRecord(RunRecord record);

// Restores what can be restored; a complete record stays as it is.
RunRecord ExpandRecord(RunRecord record);

// As text that ReadRecord() reads: like PrintTextproto(), but messages without sub-messages,
// and lists of numbers or words, are on one line.
std::string PrintDense(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_COMPACT_RECORD_H_
