// The official annotations of ActivityNet: one JSON file for all parts,
//   {"database": {id: {"subset": "training", "duration": 82.7, "annotations":
//                      [{"label": "Ballet", "segment": [6.2, 77.7]}, ...]}}, ...}
//
//   OP3D_ASSIGN_OR_RETURN(auto videos, ParseActivityNetJson(text, "activity_net.v1-3.min.json"));
//   videos[0].Label();                                             // "Ballet"
//
// A training sample is the whole untrimmed video with one label, as in the released trainer, whose
// lists have one line `path frames label` per video and no segments.  Clips that miss the action
// are part of the task, and a test takes 50 clips instead of 10.  Segments decide the label of the
// few videos (11 of 14,377) that show two classes.
#ifndef OP3D_DATA_ANNOTATION_FORMAT_ACTIVITYNET_JSON_H_
#define OP3D_DATA_ANNOTATION_FORMAT_ACTIVITYNET_JSON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct ActivityNetVideo {
  struct Segment {
    std::string label;
    // In seconds, as in the list.  Some official segments end before they start, and count as
    // empty; some begin before the video or end after it.
    double start_seconds = 0;
    double end_seconds = 0;
  };
  // YouTube's id; the file's name is the id, or "v_" and the id.
  std::string id;
  // "training", "validation", "testing".
  std::string subset;
  // In seconds; 0 when the list does not say.
  double duration_seconds = 0;
  // None in the testing part, and in an entry without an annotation.
  std::vector<Segment> segments;
  int64_t line = 0;

  // The class that is shown longest within the video; if several are equal, the first.  Empty
  // without segments.
  std::string Label() const;
};

// In the order of the file.  InvalidArgument, "`source`:line: ..." with the entry: no JSON object
// with a database, an entry without a subset, an annotation without a label and a segment of two
// numbers, a video listed twice, no video.
absl::StatusOr<std::vector<ActivityNetVideo>> ParseActivityNetJson(absl::string_view text,
                                                                   absl::string_view source);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_ACTIVITYNET_JSON_H_
