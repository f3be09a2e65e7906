// Values as YAML writes them.
//
//   const std::string line = "name: " + YamlText("a: b");    // name: "a: b"
#ifndef OP3D_RESULTS_EXPORT_YAML_H_
#define OP3D_RESULTS_EXPORT_YAML_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d::results {

// A double-quoted scalar, which is text whatever it contains ("no", "1.0", "a: b").  JSON's strings
// are a part of YAML's; bytes that are not UTF-8 become U+FFFD.
std::string YamlText(absl::string_view text);

// A number with at most 6 digits after the point: 64.044944.
std::string YamlNumber(double value);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_EXPORT_YAML_H_
