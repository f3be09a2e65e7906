// A reader for the pickles that contain weights; it runs nothing.
//
// A pickle is a program for a stack machine; Python's own reader calls whatever the program names.
// This one has an allow-list of opcodes and keeps calls as plain data: the name of the function and
// its arguments.  Names have no effect here, so objects of any class are accepted as data.  Names
// that only an attack needs (`os.system`) are still refused, to warn the user.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(Pickle pickle, Pickle::Parse(bytes));
//   const PickleValue& root = *pickle.root();      // of kind kDict, say
//
// Source of the opcodes: Python's pickletools; protocols 2 to 5.
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
    kBytes,    // text
    kTuple,    // items
    kList,     // items
    kSet,      // items
    kDict,     // items: key, value, key, value ...
    // A class or function: module in `text`, name in `name`.
    kName,
    // A call: items = {the function, its arguments as a tuple[, as a dictionary]}, then the state
    // given by BUILD, if any, and what was set or appended: `extra`, `appended`.
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
  // kCall: the state given by BUILD (null without it); items set afterwards (key, value ...), for a
  // subclass of dict; items appended, for a subclass of list or set.
  PickleValue* state = nullptr;
  std::vector<PickleValue*> extra;
  std::vector<PickleValue*> appended;
};

// Values live as long as the pickle that owns them and the bytes that were parsed.  They may
// contain cycles: code that walks them must limit its steps.
class Pickle {
 public:
  // The first pickle in `bytes`.  InvalidArgument names the opcode or the name that is not allowed
  // and its byte offset; DataLoss for a truncated one.  Never needs more memory than a
  // fixed multiple of `bytes`, at most about 250 MB (a million values).
  static absl::StatusOr<Pickle> Parse(absl::string_view bytes);

  const PickleValue* root() const { return root_; }
  // The number of bytes it used; later bytes are not read.
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
