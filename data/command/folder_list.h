// Makes lists for your own videos in class folders, as phones and archives store them, or in the
// shards of WebDataset.  All other commands and `//benchmarks:own` need such lists.
//
//   FolderListOptions options;
//   options.folder = "/data/phone";                      // "run/IMG 1.mov", "jump/IMG 2.mp4", ...
//   OP3D_ASSIGN_OR_RETURN(FolderListReport report, ListClassFolders(options));
//   // report.dataset = "/data/phone/dataset.textproto", next to train.txt, test.txt, classes.txt
#ifndef OP3D_DATA_COMMAND_FOLDER_LIST_H_
#define OP3D_DATA_COMMAND_FOLDER_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace op3d::data {

struct FolderListOptions {
  // Has one folder per class; the folder's name is the class name.  Or tars: the class of a video
  // a.mp4 in one is the text of the member a.cls, otherwise the first folder of its path there.
  std::string folder;
  // Where the lists go; empty = into `folder`.
  std::string out;
  // This share of each class's videos is used for the test, in (0, 1), but never all of them.
  double test_share = 0.25;
  // Seed of that choice.
  uint64_t seed = 1;
};

struct FolderListReport {
  // The file for --dataset.
  std::string dataset;
  // In the order of their labels: alphabetical.  If all classes are whole numbers, as in many shards,
  // these are the labels.
  std::vector<std::string> classes;
  int64_t train = 0;
  int64_t test = 0;
  // Files that were skipped, below `folder`, with the reason: "run/notes.txt: its name does
  // not end like a video's".  Hidden files and folders are not named.
  std::vector<std::string> passed_over;
};

// Videos are recognised by their file endings, at any depth below their class's folder; `dataset
// index` checks their content.  The same folder and options give the same lists.
//
// NotFound: no such folder.  InvalidArgument: fewer than two classes with a video, a test share
// outside (0, 1), no class with two videos.  FailedPrecondition: one of the files exists already;
// nothing is overwritten.
absl::StatusOr<FolderListReport> ListClassFolders(const FolderListOptions& options);

std::string FolderListText(const FolderListReport& report);
// One JSON object: dataset, classes, train, test, passed_over.
std::string FolderListJson(const FolderListReport& report);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_FOLDER_LIST_H_
