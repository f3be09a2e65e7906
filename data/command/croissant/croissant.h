// An indexed dataset as Croissant, the JSON-LD that machine learning hubs and search engines read:
// its lists, and one record per usable video.
//
//   OP3D_ASSIGN_OR_RETURN(DatasetIndexReport report, IndexDataset(dataset, options));
//   OP3D_ASSIGN_OR_RETURN(Croissant croissant, DescribeAsCroissant(dataset, report, {}));
//   WriteFileAtomically("croissant.json", croissant.json);
//   WriteFileAtomically(croissant.table_name, croissant.table);        // next to it
//
// Source of the format: docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html.
#ifndef OP3D_DATA_COMMAND_CROISSANT_CROISSANT_H_
#define OP3D_DATA_COMMAND_CROISSANT_CROISSANT_H_

#include <string>

#include "absl/status/statusor.h"
#include "data/command/dataset_index.h"
#include "data/datasets/dataset.pb.h"

namespace op3d::data {

struct CroissantOptions {
  // What only the publisher of a dataset knows; "" = left out, which validators warn about.
  std::string license;
  std::string url;
  std::string citation;
  // "2012-12-03".
  std::string date_published;
};

struct Croissant {
  // One JSON object, indented.
  std::string json;
  // The table of videos that `json` names by its SHA-256; it must be in the same folder.
  // CSV with a header: list,name,path,label,class,frames,group; paths are relative to the root,
  // label and class are empty if the list has no labels.
  std::string table_name;
  std::string table;
};

// Of the lists in `report` that can be used.  The lists' own files are named relative to the root,
// with their SHA-256.  The errors of ReadDatasetList() and of reading these files; InvalidArgument
// for a name, a license or a date that Croissant does not allow.
absl::StatusOr<Croissant> DescribeAsCroissant(const DatasetSettings& dataset,
                                              const DatasetIndexReport& report,
                                              const CroissantOptions& options);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_CROISSANT_CROISSANT_H_
