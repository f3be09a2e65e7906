// What a difference between two runs is, and the rules for what counts as one, field by field.
#ifndef OP3D_RESULTS_COMPARE_COMPARISON_RULES_H_
#define OP3D_RESULTS_COMPARE_COMPARISON_RULES_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace op3d::results {

// One place where two runs differ.
struct Difference {
  // "recipe 'planned' > test > top1".
  std::string place;
  // The value in each run; "" if there is none.
  std::string a;
  std::string b;
  // "differs by 0.02, allowed 0.01"; may be empty.
  std::string note;
};

struct ComparisonOptions {
  // Compare every bit: without tolerances; checksums and the order of entries count too.
  bool exact = false;

  // Tolerances: the largest differences that are ignored; without effect if exact.

  // For accuracies, performances, scores of edges and states, and fitted curves at the measured
  // epochs.  0.01: the standard error of the search's measure on 180 videos.
  double share_tolerance = 0.01;
  // For losses, relative to the larger one.
  double loss_tolerance = 0.02;
  // For knees, epochs kept or trained and lengths of curves.
  int epoch_tolerance = 0;
  // For numbers of right videos in a class or group.
  int video_tolerance = 1;
  // For single test scores (logits), absolute.
  double score_tolerance = 0.05;
};

// How a field is compared if not every bit counts.  kWords: sentences of the program, which another
// commit may word differently; they are left out of exact comparisons too.
enum class ComparisonRule { kEqual, kShare, kLoss, kEpochs, kVideos, kLeftOut, kWords };

// Fields that older records lack although their runs were the same: they are compared only if both
// records have them.  Only strings.
bool IsComparedWhereBothStateIt(const google::protobuf::FieldDescriptor& field);

// By the field's full name; kEqual unless the table in the .cc says otherwise.
ComparisonRule RuleOf(const google::protobuf::FieldDescriptor& field);

// The largest difference between `a` and `b` that is ignored; 0 = they must be equal.
double AllowedDifference(ComparisonRule rule, const ComparisonOptions& options, double a, double b);

// Paths of the fields that identify the entries of a list ({{"from"}, {"to"}} for edges); empty
// if entries are identified by their index.
using EntryKey = std::vector<std::vector<std::string>>;
EntryKey KeyOf(const google::protobuf::Descriptor& entry);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_COMPARISON_RULES_H_
