// A reader for the few pickles that weights travel in, which runs nothing.
//
// A pickle is a program for a stack machine; Python's own reader calls whatever the program names.
// This one knows an allow-list of opcodes, keeps calls as plain data (what was called, with what),
// and refuses every name that is not on its own list.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(Pickle pickle, Pickle::Parse(bytes, PickleNames::kWeights));
//   const PickleValue& root = *pickle.root();      // of kind kDict, say
//
// Source of the opcodes: Python's pickletools; protocols 2 to 4.
#ifndef OP3D_NETWORK_WEIGHTS_PICKLE_H_
#define OP3D_NETWORK_WEIGHTS_PICKLE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

struct PickleValue {
  enum class Kind {
    kNone,
    kBool,     // integer
    kInteger,  // integer
    kLong,     // text: more than 64 bits, little-endian two's complement
    kReal,     // real
    kText,     // text
    kTuple,    // items
    kList,     // items
    kDict,     // items: key, value, key, value ...
    // A class or function: module in `text`, name in `name`.
    kName,
    // A call: items = {what is called, its arguments as a tuple}, then what BUILD added, if
    // anything, and what was appended or set: `extra`.
    kCall,
    // A reference to something stored elsewhere: items = {its identifier}.
    kPersistent,
  };
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  double real = 0;
  // Inside the bytes that were parsed.
  absl::string_view text;
  absl::string_view name;
  std::vector<PickleValue*> items;
  // kCall: the state given by BUILD (null without), and items set afterwards (key, value ...).
  PickleValue* state = nullptr;
  std::vector<PickleValue*> extra;
};

// Which names a pickle may hold.
enum class PickleNames {
  // What PyTorch's state dicts and the authors' checkpoints are made of.
  kWeights,
  // Also `__torch__...`, the classes of a TorchScript archive, and its typed lists.
  kTorchScript,
};

// Values live as long as the pickle that owns them and the bytes that were parsed.  They may refer
// to one another in circles: whoever walks them must count.
class Pickle {
 public:
  // The first pickle in `bytes`.  InvalidArgument names the opcode or the name that is not allowed
  // and its byte offset; DataLoss for one that is cut off.  Never takes more memory than a
  // fixed multiple of `bytes`, at most about 200 MB (a million values).
  static absl::StatusOr<Pickle> Parse(absl::string_view bytes, PickleNames names);

  const PickleValue* root() const { return root_; }
  // How many bytes it took; what follows is not looked at.
  size_t size() const { return size_; }

 private:
  friend class PickleMachine;
  std::vector<std::unique_ptr<PickleValue>> values_;
  const PickleValue* root_ = nullptr;
  size_t size_ = 0;
};

// `value` is a call of `module`.`name`.
bool IsCallOf(const PickleValue& value, absl::string_view module, absl::string_view name);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_PICKLE_H_
