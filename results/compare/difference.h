// One place where two runs differ.
#ifndef OP3D_RESULTS_COMPARE_DIFFERENCE_H_
#define OP3D_RESULTS_COMPARE_DIFFERENCE_H_

#include <string>

namespace op3d::results {

struct Difference {
  // "recipe 'planned' > test > top1".
  std::string place;
  // The value in each run; "" if there is none.
  std::string a;
  std::string b;
  // "differs by 0.02, allowed 0.01"; may be empty.
  std::string note;
};

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_DIFFERENCE_H_
