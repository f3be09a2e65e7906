#include "op3d/network/weights/pickle.h"

#include <cstring>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// A checkpoint of a thousand parameters has twenty thousand values.
constexpr size_t kMostValues = 1000000;

// Functions that only an attack calls.  Nothing is run whatever the name, so the list is no
// protection here: it warns people what their file would do in Python.
struct Name {
  const char* module;
  // Null: every name of the module.
  const char* name;
};
constexpr Name kAttacks[] = {
    {"os", nullptr},
    {"posix", nullptr},
    {"nt", nullptr},
    {"subprocess", nullptr},
    {"pty", nullptr},
    {"shutil", nullptr},
    {"socket", nullptr},
    {"runpy", nullptr},
    {"webbrowser", nullptr},
    {"commands", nullptr},
    {"ctypes", nullptr},
    {"builtins", "eval"},
    {"builtins", "exec"},
    {"builtins", "execfile"},
    {"builtins", "compile"},
    {"builtins", "open"},
    {"builtins", "__import__"},
    {"importlib", "import_module"},
    {"pickle", "loads"},
    {"_pickle", "loads"},
    {"sys", nullptr},
    {"requests", nullptr},
    {"urllib.request", nullptr},
    {"asyncio.subprocess", nullptr},
    {"code", nullptr},
    {"pip", nullptr},
    {"marshal", nullptr},
};

bool IsAttack(absl::string_view module, absl::string_view name) {
  // Python 2's name of the module.
  if (module == "__builtin__") module = "builtins";
  for (const Name& attack : kAttacks) {
    if (module == attack.module && (attack.name == nullptr || name == attack.name)) return true;
  }
  return false;
}

}  // namespace

// The stack, the memo and the position in the program.
class PickleMachine {
 public:
  explicit PickleMachine(absl::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<Pickle> Run() {
    for (;;) {
      at_ = position_;
      OP3D_ASSIGN_OR_RETURN(const uint8_t opcode, Byte());
      if (opcode == '.') break;
      OP3D_RETURN_IF_ERROR(Step(opcode));
    }
    if (stack_.size() != 1 || stack_[0] == nullptr)
      return Fault("ends with another stack than one value");
    pickle_.root_ = stack_[0];
    pickle_.size_ = position_;
    return std::move(pickle_);
  }

 private:
  using Kind = PickleValue::Kind;

  absl::Status Fault(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("the pickle ", what, ", at byte ", at_));
  }

  absl::StatusOr<absl::string_view> Take(size_t count) {
    if (count > bytes_.size() - position_) {
      return absl::DataLossError(absl::StrCat("the pickle is cut off: ", count, " bytes at byte ",
                                              position_, " of ", bytes_.size(),
                                              " are missing; copy the file again"));
    }
    const absl::string_view taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }

  absl::StatusOr<uint8_t> Byte() {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view taken, Take(1));
    return static_cast<uint8_t>(taken[0]);
  }

  // Little-endian.
  template <typename T>
  absl::StatusOr<T> Number() {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view taken, Take(sizeof(T)));
    T number;
    std::memcpy(&number, taken.data(), sizeof(T));
    return number;
  }

  absl::StatusOr<absl::string_view> Line() {
    const size_t end = bytes_.find('\n', position_);
    if (end == absl::string_view::npos) return Take(bytes_.size() - position_ + 1);
    OP3D_ASSIGN_OR_RETURN(const absl::string_view line, Take(end - position_));
    ++position_;
    return line;
  }

  absl::StatusOr<PickleValue*> Push(Kind kind) {
    if (pickle_.values_.size() >= kMostValues) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the pickle holds more than ", kMostValues, " values: no weights do"));
    }
    pickle_.values_.push_back(std::make_unique<PickleValue>());
    PickleValue* value = pickle_.values_.back().get();
    value->kind = kind;
    stack_.push_back(value);
    return value;
  }

  absl::StatusOr<PickleValue*> Pop() {
    if (stack_.empty() || stack_.back() == nullptr) return Fault("takes a value that is not there");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }

  absl::StatusOr<PickleValue*> Top() {
    if (stack_.empty() || stack_.back() == nullptr)
      return Fault("looks for a value that is not there");
    return stack_.back();
  }

  // Everything above the last mark.
  absl::StatusOr<std::vector<PickleValue*>> PopToMark() {
    size_t mark = stack_.size();
    while (mark > 0 && stack_[mark - 1] != nullptr) --mark;
    if (mark == 0) return Fault("looks for a mark that is not there");
    std::vector<PickleValue*> items(stack_.begin() + mark, stack_.end());
    stack_.resize(mark - 1);
    return items;
  }

  absl::Status PushInteger(int64_t number, Kind kind = Kind::kInteger) {
    OP3D_ASSIGN_OR_RETURN(PickleValue * value, Push(kind));
    value->integer = number;
    return absl::OkStatus();
  }

  absl::Status PushText(size_t size, Kind kind = Kind::kText) {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view text, Take(size));
    OP3D_ASSIGN_OR_RETURN(PickleValue * value, Push(kind));
    value->text = text;
    return absl::OkStatus();
  }

  absl::Status PushLong(size_t size) {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view digits, Take(size));
    if (size > sizeof(int64_t)) {
      OP3D_ASSIGN_OR_RETURN(PickleValue * value, Push(Kind::kLong));
      value->text = digits;
      return absl::OkStatus();
    }
    const bool negative = size > 0 && (digits.back() & 0x80) != 0;
    int64_t number = negative ? -1 : 0;
    std::memcpy(&number, digits.data(), size);
    return PushInteger(number);
  }

  absl::Status PushReal() {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view digits, Take(8));
    uint64_t bits = 0;
    for (const char digit : digits) bits = bits << 8 | static_cast<uint8_t>(digit);
    OP3D_ASSIGN_OR_RETURN(PickleValue * value, Push(Kind::kReal));
    std::memcpy(&value->real, &bits, sizeof(bits));
    return absl::OkStatus();
  }

  absl::Status PushName(absl::string_view module, absl::string_view name) {
    if (IsAttack(module, name)) {
      return Fault(absl::StrCat("asks for ", absl::CHexEscape(module.substr(0, 100)), ".",
                                absl::CHexEscape(name.substr(0, 100)),
                                ", which weights do not need; nothing of it was run, and Python "
                                "would run it"));
    }
    OP3D_ASSIGN_OR_RETURN(PickleValue * value, Push(Kind::kName));
    value->text = module;
    value->name = name;
    return absl::OkStatus();
  }

  absl::Status PushItems(Kind kind, std::vector<PickleValue*> items) {
    OP3D_ASSIGN_OR_RETURN(PickleValue * value, Push(kind));
    value->items = std::move(items);
    return absl::OkStatus();
  }

  absl::Status PushTuple(int count) {
    std::vector<PickleValue*> items(count);
    for (int i = count - 1; i >= 0; --i) {
      OP3D_ASSIGN_OR_RETURN(items[i], Pop());
    }
    return PushItems(Kind::kTuple, std::move(items));
  }

  absl::Status Call() {
    OP3D_ASSIGN_OR_RETURN(PickleValue * arguments, Pop());
    OP3D_ASSIGN_OR_RETURN(PickleValue * callee, Pop());
    // A class may be the result of a call (getattr) or be stored elsewhere (a stream's 'module').
    const bool callable = callee->kind == Kind::kName || callee->kind == Kind::kCall ||
                          callee->kind == Kind::kPersistent;
    if (!callable || arguments->kind != Kind::kTuple) {
      return Fault("calls something that is not a name, or calls it without a tuple of arguments");
    }
    return PushItems(Kind::kCall, {callee, arguments});
  }

  // A call with named arguments, too.
  absl::Status CallByName() {
    OP3D_ASSIGN_OR_RETURN(PickleValue * named, Pop());
    OP3D_RETURN_IF_ERROR(Call());
    stack_.back()->items.push_back(named);
    return absl::OkStatus();
  }

  absl::Status Build() {
    OP3D_ASSIGN_OR_RETURN(PickleValue * state, Pop());
    OP3D_ASSIGN_OR_RETURN(PickleValue * object, Top());
    if (object->kind != Kind::kCall) {
      return Fault("sets the state of something that is not an object");
    }
    object->state = state;
    return absl::OkStatus();
  }

  // APPEND(S) to a list, ADDITEMS to a set, SETITEM(S) to a dictionary; objects that behave like
  // one of these store them separately.
  absl::Status Add(std::vector<PickleValue*> items, Kind kind) {
    OP3D_ASSIGN_OR_RETURN(PickleValue * container, Top());
    if (container->kind != kind && container->kind != Kind::kCall) {
      return Fault("adds to what is neither list, set nor dictionary");
    }
    if (kind == Kind::kDict && items.size() % 2 != 0) return Fault("has a key without a value");
    auto& into = container->kind == kind ? container->items
                 : kind == Kind::kDict   ? container->extra
                                         : container->appended;
    into.insert(into.end(), items.begin(), items.end());
    return absl::OkStatus();
  }

  absl::Status AddLast(int count, Kind kind) {
    std::vector<PickleValue*> items(count);
    for (int i = count - 1; i >= 0; --i) {
      OP3D_ASSIGN_OR_RETURN(items[i], Pop());
    }
    return Add(std::move(items), kind);
  }

  absl::Status Put(uint32_t index) {
    OP3D_ASSIGN_OR_RETURN(memo_[index], Top());
    return absl::OkStatus();
  }

  absl::Status Get(uint32_t index) {
    const auto it = memo_.find(index);
    if (it == memo_.end())
      return Fault(absl::StrCat("recalls value ", index, ", which it never kept"));
    // References need memory, too.
    if (++recalls_ > kMostValues) return Fault("recalls more values than any weights do");
    stack_.push_back(it->second);
    return absl::OkStatus();
  }

  absl::Status Step(uint8_t opcode);

  const absl::string_view bytes_;
  size_t position_ = 0;
  size_t at_ = 0;  // the opcode's own byte
  // Null is a mark.
  std::vector<PickleValue*> stack_;
  absl::flat_hash_map<uint32_t, PickleValue*> memo_;
  size_t recalls_ = 0;
  Pickle pickle_;
};

#define OP3D_PICKLE_NUMBER(T, name) OP3D_ASSIGN_OR_RETURN(const T name, Number<T>())
absl::Status PickleMachine::Step(uint8_t opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      OP3D_ASSIGN_OR_RETURN(const uint8_t protocol, Byte());
      if (protocol < 2 || protocol > 5) {
        return Fault(absl::StrCat("has protocol ", protocol, "; 2 to 5 are known"));
      }
      return absl::OkStatus();
    }
    case 0x95:  // FRAME
      return Take(8).status();
    case '(':  // MARK
      if (stack_.size() >= kMostValues) return Fault("is nested too deeply");
      stack_.push_back(nullptr);
      return absl::OkStatus();
    case 'N':
      return Push(Kind::kNone).status();
    case 0x88:  // NEWTRUE
      return PushInteger(1, Kind::kBool);
    case 0x89:  // NEWFALSE
      return PushInteger(0, Kind::kBool);
    case 'J': {  // BININT
      OP3D_PICKLE_NUMBER(int32_t, number);
      return PushInteger(number);
    }
    case 'K': {  // BININT1
      OP3D_PICKLE_NUMBER(uint8_t, number);
      return PushInteger(number);
    }
    case 'M': {  // BININT2
      OP3D_PICKLE_NUMBER(uint16_t, number);
      return PushInteger(number);
    }
    case 0x8a: {  // LONG1
      OP3D_PICKLE_NUMBER(uint8_t, size);
      return PushLong(size);
    }
    case 0x8b: {  // LONG4
      OP3D_PICKLE_NUMBER(uint32_t, size);
      return PushLong(size);
    }
    case 'G':  // BINFLOAT
      return PushReal();
    case 'X':    // BINUNICODE
    case 'T': {  // BINSTRING
      OP3D_PICKLE_NUMBER(uint32_t, size);
      return PushText(size);
    }
    case 0x8c:   // SHORT_BINUNICODE
    case 'U': {  // SHORT_BINSTRING
      OP3D_PICKLE_NUMBER(uint8_t, size);
      return PushText(size);
    }
    case 0x8d: {  // BINUNICODE8
      OP3D_PICKLE_NUMBER(uint64_t, size);
      return PushText(size);
    }
    case 'B': {  // BINBYTES
      OP3D_PICKLE_NUMBER(uint32_t, size);
      return PushText(size, Kind::kBytes);
    }
    case 'C': {  // SHORT_BINBYTES
      OP3D_PICKLE_NUMBER(uint8_t, size);
      return PushText(size, Kind::kBytes);
    }
    case 0x8e:    // BINBYTES8
    case 0x96: {  // BYTEARRAY8
      OP3D_PICKLE_NUMBER(uint64_t, size);
      return PushText(size, Kind::kBytes);
    }
    case ')':  // EMPTY_TUPLE
      return PushTuple(0);
    case 0x85:  // TUPLE1 to 3
    case 0x86:
    case 0x87:
      return PushTuple(opcode - 0x84);
    case 't': {  // TUPLE
      OP3D_ASSIGN_OR_RETURN(std::vector<PickleValue*> items, PopToMark());
      return PushItems(Kind::kTuple, std::move(items));
    }
    case ']':
      return PushItems(Kind::kList, {});
    case '}':
      return PushItems(Kind::kDict, {});
    case 0x8f:  // EMPTY_SET
      return PushItems(Kind::kSet, {});
    case 0x90: {  // ADDITEMS
      OP3D_ASSIGN_OR_RETURN(std::vector<PickleValue*> items, PopToMark());
      return Add(std::move(items), Kind::kSet);
    }
    case 0x91: {  // FROZENSET
      OP3D_ASSIGN_OR_RETURN(std::vector<PickleValue*> items, PopToMark());
      return PushItems(Kind::kSet, std::move(items));
    }
    case '0':  // POP, which tuples in circles need
      return Pop().status();
    case '1':  // POP_MARK
      return PopToMark().status();
    case 'a':  // APPEND
      return AddLast(1, Kind::kList);
    case 's':  // SETITEM
      return AddLast(2, Kind::kDict);
    case 'e': {  // APPENDS
      OP3D_ASSIGN_OR_RETURN(std::vector<PickleValue*> items, PopToMark());
      return Add(std::move(items), Kind::kList);
    }
    case 'u': {  // SETITEMS
      OP3D_ASSIGN_OR_RETURN(std::vector<PickleValue*> items, PopToMark());
      return Add(std::move(items), Kind::kDict);
    }
    case 'q': {  // BINPUT
      OP3D_PICKLE_NUMBER(uint8_t, index);
      return Put(index);
    }
    case 'r': {  // LONG_BINPUT
      OP3D_PICKLE_NUMBER(uint32_t, index);
      return Put(index);
    }
    case 0x94:  // MEMOIZE
      return Put(static_cast<uint32_t>(memo_.size()));
    case 'h': {  // BINGET
      OP3D_PICKLE_NUMBER(uint8_t, index);
      return Get(index);
    }
    case 'j': {  // LONG_BINGET
      OP3D_PICKLE_NUMBER(uint32_t, index);
      return Get(index);
    }
    case 'c': {  // GLOBAL
      OP3D_ASSIGN_OR_RETURN(const absl::string_view module, Line());
      OP3D_ASSIGN_OR_RETURN(const absl::string_view name, Line());
      return PushName(module, name);
    }
    case 0x93: {  // STACK_GLOBAL
      OP3D_ASSIGN_OR_RETURN(const PickleValue* name, Pop());
      OP3D_ASSIGN_OR_RETURN(const PickleValue* module, Pop());
      if (name->kind != Kind::kText || module->kind != Kind::kText)
        return Fault("names without text");
      return PushName(module->text, name->text);
    }
    case 'R':   // REDUCE
    case 0x81:  // NEWOBJ
      return Call();
    case 0x92:  // NEWOBJ_EX
      return CallByName();
    case 'b':
      return Build();
    case 'Q': {  // BINPERSID
      OP3D_ASSIGN_OR_RETURN(PickleValue * identifier, Pop());
      return PushItems(Kind::kPersistent, {identifier});
    }
    default:
      return Fault(absl::StrCat("has the opcode 0x", absl::Hex(opcode, absl::kZeroPad2),
                                ", which weights do not need"));
  }
}
#undef OP3D_PICKLE_NUMBER

absl::StatusOr<Pickle> Pickle::Parse(absl::string_view bytes) { return PickleMachine(bytes).Run(); }

bool IsCallOf(const PickleValue& value, absl::string_view module, absl::string_view name) {
  return value.kind == PickleValue::Kind::kCall &&
         value.items[0]->kind == PickleValue::Kind::kName && value.items[0]->text == module &&
         value.items[0]->name == name;
}

}  // namespace op3d
