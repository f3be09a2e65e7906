// Tars for tests.
//
//   WriteTestTar(path, {{"run/a.mp4", bytes}, {"run/a.cls", "3"}});
#ifndef OP3D_DATA_VIDEO_TESTING_TEST_TAR_H_
#define OP3D_DATA_VIDEO_TESTING_TEST_TAR_H_

#include <string>
#include <vector>

namespace op3d::data {

struct TestMember {
  std::string name;
  std::string content;
  enum class Kind { kFile, kFolder, kHardLink, kSymbolicLink, kSparse };
  // The content of a link is the name that it leads to.
  Kind kind = Kind::kFile;
};

enum class TarForm { kUstar, kPax, kGnu };

// The archive's bytes.  Aborts the test program on failure.
std::string MakeTestTar(const std::vector<TestMember>& members, TarForm form = TarForm::kPax);

// Writes it and returns `path`.
std::string WriteTestTar(const std::string& path, const std::vector<TestMember>& members,
                         TarForm form = TarForm::kPax);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_TESTING_TEST_TAR_H_
