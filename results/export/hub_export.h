// What a model hub needs beside the weights of a run: the model card and the evaluation results, in
// Hugging Face's formats.
//
//   OP3D_ASSIGN_OR_RETURN(const RecipeResult* row, FindRowOfWeights(run.record, bytes, path));
//   OP3D_ASSIGN_OR_RETURN(std::string card, RenderModelCard(run, *row, HubOptions()));
//   WriteFileAtomically(JoinPath(folder, "README.md"), card);
//
// Sources of the formats: huggingface.co/docs/hub/model-cards (Markdown with YAML front matter) and
// huggingface.co/docs/hub/eval-results (.eval_results/*.yaml).
#ifndef OP3D_RESULTS_EXPORT_HUB_EXPORT_H_
#define OP3D_RESULTS_EXPORT_HUB_EXPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "results/record/named_records.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

struct HubOptions {
  // The dataset on the hub, "owner/name"; "" = none is named.
  std::string dataset;
  // The task in the dataset's eval.yaml, and the dataset's revision (a hash; may be empty).
  std::string task;
  std::string revision;
  // The license of the weights, as the hub spells it ("apache-2.0"); "" = not stated.
  std::string license;
  // Where the results can be checked; may be empty.
  std::string source_url;
  // The file of weights as the card names it.
  std::string weights_file = "model.safetensors";
};

// The tested row of the record whose model the file of weights has, by its SHA-256.
// InvalidArgument if it is none of them, or is no file of safetensors.
absl::StatusOr<const RecipeResult*> FindRowOfWeights(const RunRecord& record, std::string weights,
                                                     const std::string& path);

// README.md: front matter, what the model is, how to use it, its results beside its rivals', the
// plan and what it cost, the data, and how to reproduce it.  Aborted if the record was edited.
absl::StatusOr<std::string> RenderModelCard(const NamedRecord& run, const RecipeResult& row,
                                            const HubOptions& options);

// .eval_results/NAME.yaml: top-1 of the row in percent.  InvalidArgument without `dataset` or
// `task`, for a miniature (its figures say nothing about the dataset), and for a full-scale run
// that is not on the official lists; Aborted if the record was edited.
absl::StatusOr<std::string> RenderEvalResults(const NamedRecord& run, const RecipeResult& row,
                                              const HubOptions& options);

// A double-quoted scalar, which is text whatever it contains ("no", "1.0", "a: b").  JSON's strings
// are a part of YAML's; bytes that are not UTF-8 become U+FFFD.
std::string YamlText(absl::string_view text);

// A number with at most 6 digits after the point: 64.044944.
std::string YamlNumber(double value);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_EXPORT_HUB_EXPORT_H_
