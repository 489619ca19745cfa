// `pptp-engine --contract`: the lists of contract.h as JSON, in the form of describeContract() of
// ../contract.ts.

#include "contract.h"

#include <cstdio>
#include <cstring>

namespace pptp::contract {
namespace {

/// Prints fields one after the other and counts their offsets.
class Fields {
 public:
  void number(const char* kind, size_t size, const char* name) { field(kind, size, name); }

  void sized(const char* kind, size_t size, const char* name) {
    char text[32];
    snprintf(text, sizeof text, "%s[%zu]", kind, size);
    field(text, size, name);
  }

  void skip(size_t size) { offset_ += size; }

 private:
  void field(const char* kind, size_t size, const char* name) {
    // `errno` is a macro in C, so the struct's member has another name.
    if (strcmp(name, "errorNumber") == 0) name = "errno";
    printf("%s{\"name\":\"%s\",\"kind\":\"%s\",\"offset\":%zu}", separator_, name, kind, offset_);
    separator_ = ",";
    offset_ += size;
  }

  size_t offset_ = 0;
  const char* separator_ = "";
};

#define PRINT_NUMBER(kind, name) fields.number(#kind, sizeof(kind), #name);
#define PRINT_SPACE(size, name) fields.skip(size);
#define PRINT_OCTETS(size, name) fields.sized("bytes", size, #name);
#define PRINT_TEXT(size, name) fields.sized("text", size, #name);
#define PRINT_TAIL(name) fields.number("tail", 0, #name);
#define PRINT_FIELDS(list)                                                \
  {                                                                       \
    [[maybe_unused]] Fields fields;                                       \
    list(PRINT_NUMBER, PRINT_SPACE, PRINT_OCTETS, PRINT_TEXT, PRINT_TAIL) \
  }
#define PRINT_MESSAGE(name, text, number, list)                                                            \
  printf("%s{\"name\":\"%s\",\"type\":%d,\"size\":%zu,\"fields\":[", separator, text, number, name::size); \
  PRINT_FIELDS(list)                                                                                       \
  printf("]}");                                                                                            \
  separator = ",\n";

}  // namespace

void print() {
  const char* separator = "\n";
  printf("{\"version\":%d,\n\"commands\":[", version);
  PPTP_COMMANDS(PRINT_MESSAGE)
  separator = "\n";
  printf("],\n\"events\":[");
  PPTP_EVENTS(PRINT_MESSAGE)
  printf("],\n\"counterRow\":{\"size\":%zu,\"fields\":[", CounterRow::size);
  PRINT_FIELDS(PPTP_COUNTER_ROW)
  printf("]},\n\"workerRow\":{\"size\":%zu,\"fields\":[", WorkerRow::size);
  PRINT_FIELDS(PPTP_WORKER_ROW)
  printf("]}}\n");
}

}  // namespace pptp::contract
