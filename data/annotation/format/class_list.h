// Label maps: the number of each class, in the forms that datasets and programs use.
//
//   OP3D_ASSIGN_OR_RETURN(std::vector<std::string> classes, ParseClassList(text, "classInd.txt"));
//   classes[0];                                                    // "ApplyEyeMakeup"
#ifndef OP3D_DATA_ANNOTATION_FORMAT_CLASS_LIST_H_
#define OP3D_DATA_ANNOTATION_FORMAT_CLASS_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

// The classes in the order of their labels.  Three forms, recognised by their content:
//   one class per line, the first has label 0 (Kinetics, Something-Something V1);
//   `number Class`, if every line starts with its own number from 1, or from 0 (UCF101);
//   a JSON object of {class: number}, numbers from 0, as numbers or strings (Something-Something
//   V2).
// InvalidArgument, "`source`:line: ..." if the form has lines: a class or a number twice, a missing
// number, no class at all.
absl::StatusOr<std::vector<std::string>> ParseClassList(absl::string_view text,
                                                        absl::string_view source);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_CLASS_LIST_H_
