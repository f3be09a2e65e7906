// Lists for a folder of one's own videos that lie in a folder a class, as phones and archives leave
// them: what every other command and `//benchmarks:own` want.
//
//   FolderListOptions options;
//   options.folder = "/data/phone";                      // "run/IMG 1.mov", "jump/IMG 2.mp4", ...
//   OP3D_ASSIGN_OR_RETURN(FolderListReport report, ListClassFolders(options));
//   // report.dataset = "/data/phone/dataset.textproto", beside train.txt, test.txt, classes.txt
#ifndef OP3D_DATA_COMMAND_FOLDER_LIST_H_
#define OP3D_DATA_COMMAND_FOLDER_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace op3d::data {

struct FolderListOptions {
  // Holds a folder for each class; its name is the class's.
  std::string folder;
  // Where the lists go; empty = into `folder`.
  std::string out;
  // Of each class's videos this share is tested on, in (0, 1), but never the last one.
  double test_share = 0.25;
  // Which ones are.
  uint64_t seed = 1;
};

struct FolderListReport {
  // The file for --dataset.
  std::string dataset;
  // In the order of their labels: alphabetical.
  std::vector<std::string> classes;
  int64_t train = 0;
  int64_t test = 0;
  // What was passed over, below `folder`, with the reason: "run/notes.txt: not called as a video".
  // Hidden files and folders are not named.
  std::vector<std::string> passed_over;
};

// Videos are told by their names' endings, at any depth below their class's folder; what is in them
// is for `dataset index` to say.  The same folder and options give the same lists.
//
// NotFound: no such folder.  InvalidArgument: less than two classes with a video, a test share
// outside (0, 1), no class with two videos.  FailedPrecondition: a file of one of the names is
// there; nothing is written over.
absl::StatusOr<FolderListReport> ListClassFolders(const FolderListOptions& options);

std::string FolderListText(const FolderListReport& report);
// One object: dataset, classes, train, test, passed_over.
std::string FolderListJson(const FolderListReport& report);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_FOLDER_LIST_H_
